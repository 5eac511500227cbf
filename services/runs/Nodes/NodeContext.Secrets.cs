using System.Collections.Immutable;
using OpenWop.Micro.Runs.Secrets;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Secrets: in memory, for this attempt, and taken out of everything that it says.</summary>
public sealed partial class NodeContext
{
    /// <summary>Values of the node's secrets by id; one that it can do without may be missing.</summary>
    public ImmutableDictionary<string, string> Secrets { get; internal set; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Secrets of the node.</summary>
    internal ImmutableArray<SecretRequirement> SecretRequirements { get; init; } = [];

    internal IEnumerable<string> SecretIds => SecretRequirements.Select(requirement => requirement.SecretId);

    internal IEnumerable<string> RequiredSecretIds => SecretRequirements.Where(requirement => !requirement.IsOptional).Select(requirement => requirement.SecretId);

    /// <summary>Secrets of all nodes of the workflow.</summary>
    internal ImmutableArray<string> RunSecretIds { get; init; } = [];

    /// <summary>Takes the run's secrets out of what the attempt says.</summary>
    internal Redactor Redactor { get; set; } = Redactor.None;
}

/// <summary>A secret that a node needs before it is executed.</summary>
/// <param name="SecretId">Id in the vault.</param>
/// <param name="IsOptional">True when the node says itself what it means that the secret is missing.</param>
public sealed record SecretRequirement(string SecretId, bool IsOptional = false);
