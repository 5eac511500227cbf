using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Telemetry;

namespace OpenWop.Micro.Runs.Api;

/// <summary>A fork that exists now; <paramref name="Replayed"/> when it did before.</summary>
internal sealed record ForkedRun(string RunId, RunOrigin Origin, bool Replayed);

/// <summary>
/// Forks runs (spec/runs-streams-replay.md 8):
/// <list type="number">
/// <item>the body is checked, then the boundary: it must be a sequence of the source's log, whether or not the source is over;</item>
/// <item>the events before the boundary are copied, their fold is the state that the fork starts from; a fork from 0 starts
/// anew, with the inputs, the options and the definition of its source;</item>
/// <item>history, row and state are one append, which also says that the owner of the shard must load the run. So a fork that
/// exists goes on, whatever dies after the commit;</item>
/// <item>the run is woken. A replay is driven along the log of its source (<see cref="ReplayDriver"/>), a branch lives on its
/// own.</item>
/// </list>
/// </summary>
internal sealed class RunForker(RunCreator creator, OwnedShards shards, RunRegistry registry, RunStore store, TimeProvider clock)
{
    /// <summary>Status of a fork in the answer that names it: it exists and has not gone on yet.</summary>
    public const string Status = RunStatuses.Pending;

    public async Task<ForkedRun> ForkAsync(RunRow source, ReadOnlyMemory<byte> body, string? requestId, CancellationToken cancellationToken)
    {
        if (!ForkRunBody.TryParse(body.Span, creator.PolicyFor(source.IsTest), out var input, out var error))
            throw new ProtocolException(error);

        var origin = new RunOrigin(source.RunId, input.FromSequence, input.Mode);
        if (requestId is not null && await store.FindRequestAsync(source.Tenant, requestId, cancellationToken) is { } before)
            return new ForkedRun(before, origin, Replayed: true);

        if (origin.FromSequence > source.LastSequence)
            throw new ProtocolException(NoSuchSequence(source, origin.FromSequence));

        var lease = shards.Mint(clock.GetUtcNow()) ?? throw new RunMovedException();
        var count = (int)Math.Max(1, origin.FromSequence);
        var log = await store.ReadEventsAsync(source.RunId, -1, count, cancellationToken);
        var result = await store.AppendAsync(Prepare(log, lease, origin, input.Overlay) with { Creation = new RunCreation(requestId, ClaimScope: false) });
        if (result.Status == AppendStatus.DuplicateRequest)
            return new ForkedRun(result.OtherRunId!, origin, Replayed: true);

        registry.Wake(lease.RunId);
        return new ForkedRun(lease.RunId, origin, Replayed: false);
    }

    private RunAppend Prepare(List<EncodedEvent> log, RunLease lease, RunOrigin origin, RunRequestOptions? overlay)
    {
        var now = clock.GetUtcNow();
        EncodedEvent[] history = origin.FromSequence == 0
            ? []
            : ForkedLog.Copy(log, origin.SourceRunId, lease.RunId, started => Start(started, lease.RunId, origin, overlay, now));
        var bodies = history.Select(EventCodec.Decode).ToList();
        var draft = new Draft(Fold.ApplyAll(RunState.Empty, bodies), now);
        if (origin.FromSequence == 0)
            draft.Add(Start((RunStarted)EventCodec.Decode(log[0]).Body, lease.RunId, origin, overlay, draft.Now));
        else if (!origin.IsReplay)
            FinishCut(draft, bodies[^1].Body);

        return new RunAppend(lease, draft.Events, draft.State) { History = history, StoreState = true, MustLoad = true };
    }

    /// <summary>
    /// An answer and what it leads to are one decision. A boundary between them would leave a node that is neither asked nor
    /// answered, so a branch takes the decision whole; a replay finds the rest in the log of its source. Children of the source do
    /// not report to a branch: nodes that wait for one fail.
    /// </summary>
    private static void FinishCut(Draft draft, RunEventBody last)
    {
        foreach (var (nodeId, node) in draft.State.Nodes)
        {
            if (node.Status == NodeStatus.WaitingForChild)
                Decisions.AddFailure(draft, nodeId, new NodeError("child_of_source", "The node waited for a child of the run that was forked."));
        }

        if (last is not InterruptResolved resolved)
            return;

        var open = draft.State.Nodes[resolved.Node].Interrupt!;
        if (resolved.Outcome == InterruptDecisions.TimeOut)
            InterruptDecisions.FailTimedOut(draft, resolved.Node);
        else
            draft.Add(new NodeResumed(resolved.Node, open.Id, open.Request.Key, resolved.Value));
    }

    private static RunStarted Start(RunStarted source, string runId, RunOrigin origin, RunRequestOptions? overlay, DateTimeOffset now)
    {
        var configurable = Laid(overlay?.Configurable, over: source.Options.Configurable);
        var asksForLimit = overlay?.Configurable.Member(ReservedOptions.RecursionLimit) is not null;
        var timeout = overlay?.RunTimeoutMs ?? source.TimeoutMs;
        return source with
        {
            RunId = runId,
            Origin = origin with { SourceTraceparent = source.Options.Traceparent },
            RecursionLimit = asksForLimit ? overlay!.RecursionLimit : source.RecursionLimit,
            Deadline = timeout > 0 ? now.AddMilliseconds(timeout) : null,
            TimeoutMs = timeout,
            Options = source.Options with
            {
                Traceparent = RunTelemetry.IsTracing ? Activity.Current?.Id ?? SpanIdentity.NewTraceparent() : null,
                // The parent waits for the source, not for the fork.
                Parent = null,
                Configurable = configurable,
                Metadata = Laid(overlay?.Metadata, over: source.Options.Metadata),
                Tags = overlay is { Tags.IsEmpty: false } ? overlay.Tags : source.Options.Tags,

                // What a replay repeats has been told already (8.3).
                CallbackUrl = origin.IsReplay ? null : source.Options.CallbackUrl,
            },
        };
    }

    /// <summary>The members of both objects; those of the overlay win.</summary>
    private static JsonElement Laid(JsonElement? overlay, JsonElement over)
    {
        if (overlay is not { } added || !RunCreator.Given(added).IsDefined())
            return over;

        if (!over.IsDefined())
            return added;

        return JsonValues.Object(writer =>
        {
            foreach (var member in over.EnumerateObject().Where(member => added.Member(member.Name) is null).Concat(added.EnumerateObject()))
                member.WriteTo(writer);
        });
    }

    private static ProtocolError NoSuchSequence(RunRow source, long sequence) => new(
        ErrorCodes.SequenceNotFound,
        $"The log of the run has no sequence {sequence}.",
        new JsonObject { ["field"] = "fromSeq", ["fromSeq"] = sequence, ["sourceRunId"] = source.RunId, ["lastSequence"] = source.LastSequence });
}
