using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Ai;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Forwarding;
using OpenWop.Micro.Runs.Interrupts;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Streaming;
using OpenWop.Micro.Runs.Telemetry;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Runs.Api;

/// <summary>The service's face: who may see the run, what it asks for, who does it.</summary>
internal sealed partial class RunsGrpcService(
    RunCreator creator, RunForker forker, RunDocuments documents, RunRegistry registry, RunStore store, RunReader reader, FrameStream frames, NodeTypes nodeTypes, InterruptResolver interrupts, CommandRouter router, InterruptTokens tokens, RunLists lists, TestSeams seams, AiProviders providers, ProgrammedModels programs) : Contracts.Runs.V1.Runs.RunsBase
{
    private const int MaxReasonLength = 512;
    private const int MaxBufferMs = 5000;

    public override async Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context)
    {
        var owner = OwnerOf(request.ActingFor, context);
        var cause = CauseOf(request.Cause, context);
        return await router.CreateAsync(
            context,
            async () =>
            {
                var created = await creator.CreateAsync(
                    request.Body.Memory, owner, RequestIdOf(request.RequestId), request.DedupEnforce,
                    request.HasForceEngineVersion ? request.ForceEngineVersion : null, RunTelemetry.TraceOf(request.Traceparent), TransportOf(request.Transport), cause, context.CancellationToken);
                return new CreateRunReply { RunId = created.RunId, Status = created.Status, Replayed = created.Replayed };
            },
            (peer, options) => peer.CreateRunAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    private static RunCause CauseOf(Contracts.Runs.V1.RunCause? cause, ServerCallContext context)
    {
        if (cause is null)
            return RunCause.None;

        if (!context.GetCaller().IsService)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "What has led to a run is for services to say."));

        return cause.CausationId.Length <= RunCause.MaxIdLength && cause.Lineage.Count <= RunCause.MaxLineage && cause.Lineage.All(trigger => trigger.Length <= RunCause.MaxIdLength)
            ? new RunCause(cause.CausationId.Length > 0 ? cause.CausationId : null, [.. cause.Lineage])
            : throw new ProtocolException(ProtocolError.Validation("The cause of the run is too long.", "cause"));
    }

    private static string TransportOf(string asked) =>
        asked.Length == 0 ? RunTransports.Rest
        : RunTransports.IsKnown(asked) ? asked
        : throw new ProtocolException(ProtocolError.Validation("The transport is none of those that there are.", "transport"));

    public override async Task<GetRunReply> GetRun(GetRunRequest request, ServerCallContext context)
    {
        var row = await VisibleAsync(request.RunId, OwnerOf(request.ActingFor, context), context);
        var state = registry.StateOf(row.RunId) ?? await store.LoadStateAsync(row.RunId, context.CancellationToken);
        var snapshot = RunSnapshot.Write(row.RunId, state, TokenOf(row.RunId, state, context), request.BaseUrl);
        return new GetRunReply { Snapshot = UnsafeByteOperations.UnsafeWrap(snapshot), LastSequence = state.LastSequence };
    }

    public override async Task<ReadEventsReply> ReadEvents(ReadEventsRequest request, ServerCallContext context)
    {
        await VisibleAsync(request.RunId, OwnerOf(request.ActingFor, context), context);
        return await reader.ReadAsync(request, context.CancellationToken);
    }

    public override async Task StreamFrames(StreamFramesRequest request, IServerStreamWriter<FrameBatch> responseStream, ServerCallContext context)
    {
        if (!StreamModes.TryParse(request.Modes, out var modes, out var unsupported))
            throw new ProtocolException(unsupported);

        if (request.BufferMs is < 0 or > MaxBufferMs)
        {
            throw new ProtocolException(ProtocolError.Validation($"bufferMs must be from 0 to {MaxBufferMs}.", "bufferMs"));
        }

        var row = await VisibleAsync(request.RunId, context);
        var after = request.HasAfterSequence
            ? request.AfterSequence
            : request.AfterEventId is { Length: > 0 } eventId ? EventCodec.SequenceOf(row.RunId, eventId) ?? -1 : -1;

        // A cursor past the end of the log follows what comes after its end.
        after = Math.Min(after, row.LastSequence);

        // The subscription stands, which the caller may want to know before there is a frame.
        await responseStream.WriteAsync(new FrameBatch(), context.CancellationToken);
        await foreach (var batch in frames.ReadAsync(row.RunId, after, modes, request.BufferMs, context.CancellationToken))
        {
            await responseStream.WriteAsync(batch, context.CancellationToken);
        }
    }

    public override async Task<ForkRunReply> ForkRun(ForkRunRequest request, ServerCallContext context)
    {
        var source = await VisibleAsync(request.RunId, context);
        return await router.CreateAsync(
            context,
            async () =>
            {
                var fork = await forker.ForkAsync(source, request.Body.Memory, RequestIdOf(request.RequestId), context.CancellationToken);
                return new ForkRunReply
                {
                    RunId = fork.RunId,
                    SourceRunId = fork.Origin.SourceRunId,
                    Mode = ForkModes.NameOf(fork.Origin.Mode),
                    Status = RunForker.Status,
                    FromSeq = fork.Origin.FromSequence,
                    Replayed = fork.Replayed,
                };
            },
            (peer, options) => peer.ForkRunAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    public override async Task<CancelRunReply> CancelRun(CancelRunRequest request, ServerCallContext context)
    {
        var owner = OwnerOf(request.ActingFor, context);
        var row = await VisibleAsync(request.RunId, owner, context);
        var reason = ReasonOf(request.Reason);
        return await router.RunAsync(
            row.RunId,
            context,
            async () =>
            {
                var command = new RunCommand.Cancel(reason, owner.Principal);
                await registry.PostAsync(row.RunId, command);
                return new CancelRunReply { RunId = row.RunId, Status = RunSnapshot.StatusOf(await command.Reply) };
            },
            (peer, options) => peer.CancelRunAsync(request, options),
            repeatable: true);
    }

    public override async Task<PauseRunReply> PauseRun(PauseRunRequest request, ServerCallContext context)
    {
        var policy = request.DrainPolicy is { Length: > 0 } named ? named : PauseDecisions.Drain;
        if (policy is not (PauseDecisions.Drain or PauseDecisions.Immediate))
            throw new ProtocolException(ProtocolError.Validation("drainPolicy must be immediate or drain-current-node.", "drainPolicy"));

        var row = await VisibleAsync(request.RunId, context);
        var reason = ReasonOf(request.Reason);
        return await router.RunAsync(
            row.RunId,
            context,
            () => PausedAsync(row.RunId, new RunCommand.Pause(reason, policy, IdentityOf(request.RequestId))),
            (peer, options) => peer.PauseRunAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    public override async Task<PauseRunReply> ResumeRun(ResumeRunRequest request, ServerCallContext context)
    {
        var row = await VisibleAsync(request.RunId, context);
        var reason = ReasonOf(request.Reason);
        return await router.RunAsync(
            row.RunId,
            context,
            () => PausedAsync(row.RunId, new RunCommand.Resume(reason, IdentityOf(request.RequestId))),
            (peer, options) => peer.ResumeRunAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    public override async Task<SetVariablesReply> SetVariables(SetVariablesRequest request, ServerCallContext context)
    {
        RequireSeams();
        var row = await VisibleAsync(request.RunId, context);
        var values = JsonElement.Parse(request.Variables.Span).EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal);
        return await router.RunAsync(
            row.RunId,
            context,
            async () =>
            {
                var command = new RunCommand.SetVariables(values);
                await registry.PostAsync(row.RunId, command);
                return new SetVariablesReply { Status = RunSnapshot.StatusOf(await command.Reply) };
            },
            (peer, options) => peer.SetVariablesAsync(request, options),
            repeatable: true);
    }

    public override async Task<ResolveInterruptReply> ResolveInterrupt(ResolveInterruptRequest request, ServerCallContext context)
    {
        var row = await VisibleAsync(request.RunId, context);
        return await router.RunAsync(
            row.RunId,
            context,
            async () =>
            {
                var decided = await interrupts.ResolveAsync(
                    row.RunId, request.NodeId, request.ResumeValue.Memory, context.GetCaller().Principal, IdentityOf(request.RequestId));
                return new ResolveInterruptReply { RunId = row.RunId, NodeId = request.NodeId, Status = decided.Status, Replayed = decided.IsReplay };
            },
            (peer, options) => peer.ResolveInterruptAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    public override async Task<ResolveInterruptReply> ResolveInterruptByToken(ResolveInterruptByTokenRequest request, ServerCallContext context)
    {
        return await router.RunAsync(
            await interrupts.RunOfAsync(request.Token, context.CancellationToken),
            context,
            async () =>
            {
                var (token, decided) = await interrupts.ResolveByTokenAsync(
                    request.Token, request.ResumeValue.Memory, IdentityOf(request.RequestId, request.RequestDigest), context.CancellationToken);
                return new ResolveInterruptReply { RunId = token.RunId, NodeId = token.NodeId, Status = decided.Status, Replayed = decided.IsReplay };
            },
            (peer, options) => peer.ResolveInterruptByTokenAsync(request, options),
            repeatable: request.RequestId.Length > 0);
    }

    public override async Task<InspectInterruptReply> InspectInterruptByToken(InspectInterruptByTokenRequest request, ServerCallContext context) => new()
    {
        Json = ByteString.CopyFromUtf8((await interrupts.InspectAsync(request.Token, context.CancellationToken)).GetRawText()),
    };

    public override async Task<DocumentReply> GetArtifact(GetArtifactRequest request, ServerCallContext context) =>
        Document(await documents.ArtifactAsync(await VisibleAsync(request.RunId, context), request.ArtifactId, context.CancellationToken));

    public override async Task<DocumentReply> DiffRuns(DiffRunsRequest request, ServerCallContext context) => Document(await documents.DiffAsync(
        await VisibleAsync(request.RunId, context), await VisibleAsync(request.Against, context), context.CancellationToken));

    public override async Task<GetParentReply> GetParent(GetParentRequest request, ServerCallContext context)
    {
        var parent = await documents.ParentAsync(await VisibleAsync(request.RunId, context), context.CancellationToken);
        return parent is { } found ? new GetParentReply { RunId = found.RunId, TypeId = found.TypeId } : new GetParentReply();
    }

    public override async Task<DocumentReply> DescribeRun(DescribeRunRequest request, ServerCallContext context) =>
        Document(await documents.DescribeAsync((await VisibleAsync(request.RunId, context)).RunId, context.CancellationToken));

    public override Task<ListRunsReply> ListRuns(ListRunsRequest request, ServerCallContext context) =>
        lists.RunsAsync(OwnerOf(null, context), request, context.CancellationToken);

    public override async Task<ListRunsReply> ListAttempts(ListAttemptsRequest request, ServerCallContext context) =>
        await lists.AttemptsAsync((await VisibleAsync(request.RunId, context)).RunId, request, context.CancellationToken);

    public override Task<ListNodeTypesReply> ListNodeTypes(ListNodeTypesRequest request, ServerCallContext context)
    {
        var reply = new ListNodeTypesReply { Limits = new EngineLimits { MaxNodeExecutions = RunCreator.MaxNodeExecutions, MaxRunDurationMs = RunCreator.MaxRunDurationMs, EngineVersion = EngineVersions.Current, OldestEngineVersion = EngineVersions.Oldest, MaxMemoryEntryBytes = MemoryRules.MaxEntryBytes } };
        reply.NodeTypes.AddRange(nodeTypes.TypeIds.Select(typeId => new NodeType { TypeId = typeId }));
        reply.AiProviders.AddRange(providers.All.Select(provider => new Contracts.Runs.V1.AiProvider { Id = provider.Id, Byok = !provider.IsKeyless }));
        reply.MockProviders.AddRange(MockProviders.Ids);
        reply.ProgrammableModel = programs.AreOn;
        return Task.FromResult(reply);
    }

    private static string? RequestIdOf(string requestId) => requestId.Length > 0 ? requestId : null;

    /// <summary>Whose runs the call is about: the user's own, or those of whom a service acts for.</summary>
    private static RunOwner OwnerOf(ActingFor? actingFor, ServerCallContext context)
    {
        var caller = context.GetCaller();
        if (actingFor is null)
            return new RunOwner(caller.Tenant, caller.Principal, caller.IsTest);

        if (!caller.IsService)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "A user acts in its own name only."));

        return new RunOwner(context.TenantOf(actingFor.Tenant), actingFor.Principal is { Length: > 0 } principal ? principal : null, actingFor.Test);
    }

    /// <summary>A token for the interrupt that the run waits for, for callers who may answer it.</summary>
    private string? TokenOf(string runId, RunState state, ServerCallContext context) =>
        state.WaitingFor is { Interrupt.Request.RequiresCredential: false } waiting && context.GetCaller().HasScope("approvals:respond")
            ? tokens.Mint(runId, waiting.NodeId, waiting.Interrupt, state.Nodes[waiting.NodeId].DueAt)
            : null;

    private async Task<PauseRunReply> PausedAsync(string runId, RunCommand.Asked command)
    {
        await registry.PostAsync(runId, command);
        await command.Reply;
        return new PauseRunReply { RunId = runId, At = Timestamps.Format(command.Decided.At), Replayed = command.Decided.IsReplay };
    }

    private static RequestIdentity? IdentityOf(string requestId, string digest = "") =>
        requestId.Length > 0 ? new RequestIdentity(requestId, digest.Length > 0 ? digest : null) : null;

    private static DocumentReply Document(ReadOnlyMemory<byte> json) => new() { Json = UnsafeByteOperations.UnsafeWrap(json) };

    private static string? ReasonOf(string reason) => reason.Length switch
    {
        0 => null,
        <= MaxReasonLength => reason,
        _ => throw new ProtocolException(ProtocolError.Validation($"reason must be at most {MaxReasonLength} characters.", "reason")),
    };

    /// <summary>The row of a run that the caller may see; another tenant's, or one of the other mode, does not exist.</summary>
    private Task<RunRow> VisibleAsync(string runId, ServerCallContext context) => VisibleAsync(runId, OwnerOf(null, context), context);

    private async Task<RunRow> VisibleAsync(string runId, RunOwner owner, ServerCallContext context)
    {
        var row = await store.FindAsync(runId, context.CancellationToken);
        if (row is null || row.Tenant != owner.Tenant || row.IsTest != owner.IsTest)
        {
            throw new ProtocolException(RunErrors.NotFound);
        }

        return row.ExpiredAt is { } at ? throw new ProtocolException(RunErrors.Expired(at)) : row;
    }
}
