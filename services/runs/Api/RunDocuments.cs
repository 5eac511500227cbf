using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Api;

/// <summary>What can be read of a run besides its snapshot and its events.</summary>
internal sealed class RunDocuments(RunRegistry registry, RunStore store, Definitions definitions)
{
    /// <summary>Events of each run that a comparison looks at.</summary>
    private const int MaxComparedEvents = 20_000;

    private const int EventsPerRead = 1_000;

    /// <summary>The newest artifact of an id.</summary>
    public async Task<ReadOnlyMemory<byte>> ArtifactAsync(RunRow row, string artifactId, CancellationToken cancellationToken)
    {
        var state = await StateAsync(row.RunId, cancellationToken);
        if (!state.Artifacts.TryGetValue(artifactId, out var artifact))
            throw new ProtocolException(ProtocolError.NotFound("artifact"));

        var stored = await store.ReadEventsAsync(row.RunId, artifact.Sequence - 1, limit: 1, cancellationToken);
        var @event = EventCodec.Decode(stored[0]);
        return ArtifactPayloads.Document(row.RunId, @event, (ArtifactCreated)@event.Body);
    }

    /// <summary>What differs between two runs.</summary>
    public async Task<ReadOnlyMemory<byte>> DiffAsync(RunRow a, RunRow b, CancellationToken cancellationToken) =>
        RunDiff.Write(await SideAsync(a, cancellationToken), await SideAsync(b, cancellationToken));

    /// <summary>The run that has started this one, and the type of the node that did; null for a run at the top.</summary>
    public async Task<(string RunId, string TypeId)?> ParentAsync(RunRow row, CancellationToken cancellationToken)
    {
        var state = await StateAsync(row.RunId, cancellationToken);
        if (state.Options?.Parent is not { } parent)
            return null;

        // The log of the parent may be gone; then what its node is called says nothing, and a sub-workflow is the common case.
        var parentRow = await store.FindAsync(parent.RunId, cancellationToken);
        if (parentRow is null or { ExpiredAt: not null })
            return (parent.RunId, "core.subWorkflow");

        var graph = await definitions.GraphAsync(await StateAsync(parent.RunId, cancellationToken), cancellationToken);
        return (parent.RunId, graph[parent.NodeId].Definition.TypeId);
    }

    /// <summary>A run as authors see it.</summary>
    public async Task<ReadOnlyMemory<byte>> DescribeAsync(string runId, CancellationToken cancellationToken) =>
        RunDescription.Write(runId, await StateAsync(runId, cancellationToken));

    /// <summary>The attempts of a run after the one that started at a sequence.</summary>
    public async Task<List<(long Sequence, ReadOnlyMemory<byte> Json)>> AttemptsAsync(
        string runId, long after, int limit, CancellationToken cancellationToken)
    {
        var attempts = new Attempts(runId);
        var last = -1L;
        while (true)
        {
            var page = await store.ReadEventsAsync(runId, last, EventsPerRead, cancellationToken);
            foreach (var stored in page)
            {
                last = stored.Sequence;
                if (Attempts.Concerns(stored.Type))
                    attempts.Add(EventCodec.Decode(stored));
            }

            if (page.Count < EventsPerRead)
                return attempts.After(after, limit);
        }
    }

    private async Task<RunDiff.Side> SideAsync(RunRow row, CancellationToken cancellationToken)
    {
        // The state first: a log that is read later is at least as long.
        var state = await StateAsync(row.RunId, cancellationToken);
        var events = await store.ReadEventsAsync(row.RunId, -1, (int)Math.Min(state.LastSequence + 1, MaxComparedEvents), cancellationToken);
        return new RunDiff.Side(row.RunId, state, events);
    }

    private async Task<RunState> StateAsync(string runId, CancellationToken cancellationToken) =>
        registry.StateOf(runId) ?? await store.LoadStateAsync(runId, cancellationToken);
}
