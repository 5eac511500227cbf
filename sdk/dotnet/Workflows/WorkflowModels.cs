using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenWop.Micro.Client.Workflows;

/// <summary>A workflow in a list.</summary>
/// <param name="Id">1 to 128 URL-safe characters.</param>
/// <param name="Name">For people.</param>
/// <param name="Version">The newest version, from 1.</param>
public sealed record WorkflowDescription(string Id, string? Name, int Version);

/// <summary>A workflow with its blocks.</summary>
/// <param name="Id">1 to 128 URL-safe characters.</param>
/// <param name="Workflow"><c>{version, metadata?, blocks, connections}</c>.</param>
/// <param name="Version">Its version, from 1: what a change of it names.</param>
public sealed record WorkflowDocument(string Id, JsonElement Workflow, int Version);

/// <summary>A version in a list.</summary>
public sealed record WorkflowVersion
{
    /// <summary>From 1, without gaps.</summary>
    public required int Version { get; init; }

    /// <summary>When it was stored.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The principal that has stored it.</summary>
    public string? CreatedBy { get; init; }
}

/// <summary>What a list of edit operations came to.</summary>
public sealed record PatchResult
{
    /// <summary>Whether everything was applied and the workflow can run.</summary>
    public required bool Ok { get; init; }

    /// <summary>The workflow as it is now.</summary>
    public required JsonElement Workflow { get; init; }

    /// <summary>Its version; the one before where nothing was changed.</summary>
    public required int Version { get; init; }

    /// <summary>What is wrong with blocks, changed or not: <c>{block_id, block_type, field?, error}</c>.</summary>
    [JsonPropertyName("validation_errors")]
    public IReadOnlyList<JsonElement> ValidationErrors { get; init; } = [];

    /// <summary>Operations that were left out: <c>{reason_code, operation_type, block_id, reason}</c>.</summary>
    [JsonPropertyName("skipped_items")]
    public IReadOnlyList<JsonElement> SkippedItems { get; init; } = [];

    /// <summary>The same for people, and for language models: several lines.</summary>
    public string Summary { get; init; } = "";
}

/// <summary>A definition that was stored.</summary>
/// <param name="WorkflowId">The workflow.</param>
/// <param name="Version">Its version, from 1; the one before where the definition is the same.</param>
/// <param name="Etag">Changes with the definition.</param>
public sealed record StoredDefinition(string WorkflowId, int Version, string? Etag);

/// <summary>A workflow that was made of a file.</summary>
/// <param name="Id">1 to 128 URL-safe characters.</param>
/// <param name="Workflow">It as blocks.</param>
/// <param name="Version">Its version: 1 for a new workflow.</param>
/// <param name="Ok">Whether it can run.</param>
public sealed record ImportedWorkflow(string Id, JsonElement Workflow, int Version, bool Ok)
{
    /// <summary>What keeps it from running: <c>{block_id, block_type, field?, error}</c>.</summary>
    [JsonPropertyName("validation_errors")]
    public IReadOnlyList<JsonElement> ValidationErrors { get; init; } = [];
}
