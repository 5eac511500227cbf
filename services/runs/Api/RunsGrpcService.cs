using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Streaming;

namespace OpenWop.Micro.Runs.Api;

/// <summary>The service's face: who may see the run, what it asks for, who does it.</summary>
internal sealed class RunsGrpcService(
    RunCreator creator, RunRegistry registry, RunStore store, RunReader reader, FrameStream frames, NodeTypes nodeTypes) : Contracts.Runs.V1.Runs.RunsBase
{
    private const int MaxReasonLength = 512;
    private const int MaxBufferMs = 5000;

    public override async Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var created = await creator.CreateAsync(
            CreateRunInput.Parse(request.Body.Memory),
            new RunOwner(caller.Tenant, caller.Principal, caller.IsTest),
            request.RequestId is { Length: > 0 } requestId ? requestId : null,
            request.DedupEnforce,
            context.CancellationToken);
        return new CreateRunReply { RunId = created.RunId, Status = created.Status, Replayed = created.Replayed };
    }

    public override async Task<GetRunReply> GetRun(GetRunRequest request, ServerCallContext context)
    {
        var row = await VisibleAsync(request.RunId, context);
        var state = registry.StateOf(row.RunId) ?? await store.LoadStateAsync(row.RunId, context.CancellationToken);
        return new GetRunReply { Snapshot = UnsafeByteOperations.UnsafeWrap(RunSnapshot.Write(row.RunId, state)), LastSequence = state.LastSequence };
    }

    public override async Task<ReadEventsReply> ReadEvents(ReadEventsRequest request, ServerCallContext context)
    {
        await VisibleAsync(request.RunId, context);
        return await reader.ReadAsync(request, context.CancellationToken);
    }

    public override async Task StreamFrames(StreamFramesRequest request, IServerStreamWriter<FrameBatch> responseStream, ServerCallContext context)
    {
        var modes = StreamModes.Parse(request.Modes);
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
        await foreach (var batch in frames.ReadAsync(row.RunId, after, modes, request.BufferMs, context.CancellationToken))
        {
            await responseStream.WriteAsync(batch, context.CancellationToken);
        }
    }

    public override async Task<CancelRunReply> CancelRun(CancelRunRequest request, ServerCallContext context)
    {
        if (request.Reason.Length > MaxReasonLength)
        {
            throw new ProtocolException(ProtocolError.Validation($"reason must be at most {MaxReasonLength} characters.", "reason"));
        }

        var row = await VisibleAsync(request.RunId, context);
        var command = new RunCommand.Cancel(request.Reason is { Length: > 0 } reason ? reason : null, context.GetCaller().Principal);
        await registry.PostAsync(row.RunId, command);
        return new CancelRunReply { RunId = row.RunId, Status = RunSnapshot.StatusOf(await command.Reply) };
    }

    public override Task<ListNodeTypesReply> ListNodeTypes(ListNodeTypesRequest request, ServerCallContext context)
    {
        var reply = new ListNodeTypesReply();
        reply.NodeTypes.AddRange(nodeTypes.TypeIds.Select(typeId => new NodeType { TypeId = typeId }));
        return Task.FromResult(reply);
    }

    /// <summary>The row of a run that the caller may see; another tenant's, or one of the other mode, does not exist.</summary>
    private async Task<RunRow> VisibleAsync(string runId, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var row = await store.FindAsync(runId, context.CancellationToken);
        return row is not null && row.Tenant == caller.Tenant && row.IsTest == caller.IsTest ? row : throw new ProtocolException(RunErrors.NotFound);
    }
}
