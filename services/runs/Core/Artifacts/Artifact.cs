using System.Collections.Immutable;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// A node has made something worth keeping by itself. The event shows what it is; the data is a fact of the event, so that it lives
/// and dies with the log, and a fork that has the event has the artifact.
/// </summary>
/// <param name="Version">Counts the artifacts of this id in the run, from 1.</param>
/// <param name="Digest">Of the data; shown unless the data is sensitive.</param>
internal sealed record ArtifactCreated(string Node, ArtifactDraft Artifact, int Version, string Digest) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>The newest artifact of an id, as the fold sees it.</summary>
/// <param name="Iteration">Which execution of the node.</param>
/// <param name="Sequence">Of the event that holds it.</param>
internal sealed record ArtifactState(string ArtifactType, string Node, int Iteration, int Version, string Digest, long Sequence);

/// <summary>Artifacts of attempts, decided and folded.</summary>
internal static class Artifacts
{
    /// <summary>Different artifacts of one run.</summary>
    public const int MaxPerRun = 1000;

    public static ImmutableSortedDictionary<string, ArtifactState> None { get; } =
        ImmutableSortedDictionary.Create<string, ArtifactState>(StringComparer.Ordinal);

    /// <summary>Why the run can have no more of them, or null.</summary>
    public static NodeError? Refusal(RunState state, NodeResult result)
    {
        if (result.Artifacts.Count == 0)
            return null;

        var added = result.Artifacts.Select(artifact => artifact.ArtifactId).Distinct(StringComparer.Ordinal).Count(id => !state.Artifacts.ContainsKey(id));
        return state.Artifacts.Count + added > MaxPerRun
            ? new NodeError("artifact_limit_exceeded", $"A run can have at most {MaxPerRun} artifacts.")
            : null;
    }

    /// <summary>Adds what an attempt has made. A handler that is executed again after a wait makes the same once more: that is no new version.</summary>
    public static void Add(Draft draft, NodeState node, NodeResult result)
    {
        foreach (var artifact in result.Artifacts)
        {
            var digest = artifact.Digest();
            var before = draft.State.Artifacts.GetValueOrDefault(artifact.ArtifactId);
            if (before is not null && before.Node == result.NodeId && before.Iteration == node.Iteration && before.Digest == digest)
                continue;

            draft.Add(new ArtifactCreated(result.NodeId, artifact, (before?.Version ?? 0) + 1, digest));
        }
    }

    public static RunState Created(RunState state, ArtifactCreated created, long sequence)
    {
        var iteration = state.Nodes.GetValueOrDefault(created.Node)?.Iteration ?? 0;
        var artifact = new ArtifactState(created.Artifact.ArtifactType, created.Node, iteration, created.Version, created.Digest, sequence);
        return state with { Artifacts = state.Artifacts.SetItem(created.Artifact.ArtifactId, artifact) };
    }
}
