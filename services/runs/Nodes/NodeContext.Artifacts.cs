using System.Globalization;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Artifacts.</summary>
public sealed partial class NodeContext
{
    private readonly List<ArtifactDraft> artifacts = [];

    internal IReadOnlyList<ArtifactDraft> Artifacts => artifacts;

    /// <summary>
    /// Id of the n-th artifact of this execution. It does not hold the run id, so that a fork names what its source has named.
    /// </summary>
    public string ArtifactKey(int number) => string.Create(CultureInfo.InvariantCulture, $"{Node.Id}.{Iteration}.{number}");

    /// <summary>Makes an artifact when the attempt completes or waits; discarded when it fails.</summary>
    public void CreateArtifact(ArtifactDraft artifact) => artifacts.Add(artifact);
}
