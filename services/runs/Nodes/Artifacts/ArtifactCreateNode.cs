using System.Buffers;

namespace OpenWop.Micro.Runs.Nodes.Artifacts;

/// <summary>
/// <c>core.artifact.create</c>: keeps <c>data</c> as an artifact of the run. Completes with <c>{artifactId, artifactType}</c>. The port
/// <c>data</c> among the node's sensitive outputs masks the data wherever it is read.
/// </summary>
internal sealed class ArtifactCreateNode : INodeHandler
{
    private const string DefaultType = "document";

    /// <summary>What needs no escaping in a path, besides the colon that separates ids from verbs.</summary>
    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public string TypeId => "core.artifact.create";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var type = Bounded(parameters, "artifactType", ArtifactDraft.MaxNameLength) ?? DefaultType;
        var artifactId = Bounded(parameters, "artifactId", ArtifactDraft.MaxNameLength);
        var title = Bounded(parameters, "title", ArtifactDraft.MaxTitleLength);
        var summary = Bounded(parameters, "summary", ArtifactDraft.MaxSummaryLength);
        if (parameters.FindGiven("data") is not { } data)
        {
            parameters.Reject("data", "must be given");
            data = default;
        }

        if (artifactId is not null && artifactId.AsSpan().ContainsAnyExcept(IdCharacters))
            parameters.Reject("artifactId", "must be made of letters, digits, '-', '_' and '.'");

        if (parameters.HasFailed(out var invalid))
            return ValueTask.FromResult(invalid);

        artifactId ??= context.ArtifactKey(0);
        context.CreateArtifact(new ArtifactDraft(artifactId, type, data)
        {
            Title = title,
            Summary = summary,
            IsSensitive = context.Node.SensitiveOutputs.Contains("data"),
        });
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WriteString("artifactId", artifactId);
            writer.WriteString("artifactType", type);
        })));
    }

    /// <summary>A text that is not empty and not too long; null when absent.</summary>
    private static string? Bounded(NodeParameters parameters, string name, int maxLength)
    {
        var text = parameters.String(name);
        if (text is { Length: 0 } || text?.Length > maxLength)
            parameters.Reject(name, $"must have 1 to {maxLength} characters");

        return text;
    }
}
