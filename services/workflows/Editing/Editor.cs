using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>A document of the authoring plane, and the version that it speaks of.</summary>
internal readonly record struct Edited(ReadOnlyMemory<byte> Json, long Version);

/// <summary>
/// Edits workflows. The definition is the only thing that is stored: what editing shows is made of it, and what editing changes is
/// written into it.
/// </summary>
/// <remarks>
/// 1. Read the newest version, and refuse when it is not the one that the caller has seen. 2. Apply the operations to its graph and check
/// all blocks: pure. 3. Write the next version, if the head has not moved since. What that costs does not depend on how many versions
/// there are, and nobody waits for anybody while operations are applied.
/// </remarks>
internal sealed partial class Editor(WorkflowStore store, ConnectorSet connectors)
{
    private static readonly JsonLimits Body = new(MaxBytes: 7 << 20, MaxDepth: 64);

    public async Task<Edited> CreateAsync(string tenant, string? name, string? description, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        // The id is made of the request, so that a repeated one finds what it has made.
        var id = WorkflowIds.Make(tenant, requestId);
        var graph = DefinitionDocument.Empty(name, description);
        var document = DefinitionDocument.Write(id, default, graph, connectors);
        var version = await store.WriteVersionAsync(tenant, id, expected: 0, document, name, requestId, principal, cancellationToken);
        return new Edited(BlockView.Workflow(id, version, "1.0.0", graph), version);
    }

    public async Task<Edited> GetAsync(string tenant, string workflowId, CancellationToken cancellationToken)
    {
        var (head, definition) = await HeadAsync(tenant, workflowId, cancellationToken);
        return new Edited(BlockView.Workflow(workflowId, head.Version, FormatOf(definition), DefinitionDocument.Read(workflowId, definition)), head.Version);
    }

    public async Task<Edited> GetVersionAsync(string tenant, string workflowId, long version, CancellationToken cancellationToken)
    {
        await HeadAsync(tenant, workflowId, cancellationToken);
        var definition = await VersionAsync(tenant, workflowId, version, cancellationToken);
        return new Edited(BlockView.Version(version, FormatOf(definition), DefinitionDocument.Read(workflowId, definition)), version);
    }

    /// <summary>What keeps the newest version from running.</summary>
    public async Task<IReadOnlyList<BlockError>> CheckAsync(string tenant, string workflowId, CancellationToken cancellationToken) =>
        BlockChecks.Check(DefinitionDocument.Read(workflowId, (await HeadAsync(tenant, workflowId, cancellationToken)).Definition), connectors);

    /// <exception cref="ProtocolException">400 for a body that is none, 404, or <c>precondition_failed</c>.</exception>
    public async Task<Edited> ApplyAsync(
        string tenant, string workflowId, long expected, ReadOnlyMemory<byte> body, bool isDryRun, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        var ops = ReadOps(body);
        var (head, definition) = await HeadAsync(tenant, workflowId, cancellationToken);
        if (requestId is not null && !isDryRun && await store.FindRequestedVersionAsync(tenant, workflowId, requestId, cancellationToken) is { } stored)
        {
            // The answer got lost. Operations are a function: what they made of the version before is what they make of it now.
            var before = await VersionAsync(tenant, workflowId, stored - 1, cancellationToken);
            return Apply(workflowId, before, ops).Answer(stored, isDryRun: false);
        }

        if (head.Version != expected)
            throw new ProtocolException(WorkflowStore.VersionMismatch(expected, head.Version));

        var result = Apply(workflowId, definition, ops);
        if (isDryRun || result.Applied.Skipped.Count == ops.Count || result.Document.Span.SequenceEqual(head.Document))
            return result.Answer(head.Version, isDryRun);
        if (result.Document.Length > WorkflowLimits.Document.MaxBytes)
            throw new ProtocolException(new ProtocolError(ErrorCodes.PayloadTooLarge, $"A workflow may have at most {WorkflowLimits.Document.MaxBytes} bytes."));
        if (StrictJson.Check(result.Document.Span, WorkflowLimits.Document) is { } problem)
            throw new ProtocolException(problem.ToProtocolError());

        var version = await store.WriteVersionAsync(tenant, workflowId, expected, result.Document, result.Graph.Name, requestId, principal, cancellationToken);
        return result.Answer(version, isDryRun: false);
    }

    public async Task<Edited> RollbackAsync(
        string tenant, string workflowId, long expected, long version, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        var (head, _) = await HeadAsync(tenant, workflowId, cancellationToken);
        var definition = await VersionAsync(tenant, workflowId, version, cancellationToken);
        var graph = DefinitionDocument.Read(workflowId, definition);
        if (requestId is null || await store.FindRequestedVersionAsync(tenant, workflowId, requestId, cancellationToken) is not { } made)
        {
            if (head.Version != expected)
                throw new ProtocolException(WorkflowStore.VersionMismatch(expected, head.Version));

            made = await store.WriteVersionAsync(
                tenant, workflowId, expected, DefinitionDocument.Write(workflowId, definition, graph, connectors), graph.Name, requestId, principal, cancellationToken);
        }

        return new Edited(BlockView.Version(made, FormatOf(definition), graph), made);
    }

    private Result Apply(string workflowId, JsonElement definition, IReadOnlyCollection<JsonElement> ops)
    {
        var graph = DefinitionDocument.Read(workflowId, definition);
        var applied = EditOps.Apply(graph, ops, connectors);
        return new Result(
            graph,
            DefinitionDocument.Write(workflowId, definition, graph, connectors),
            FormatOf(definition),
            applied,
            [.. applied.Errors, .. BlockChecks.Check(graph, connectors)]);
    }

    /// <summary>What operations have come to.</summary>
    private sealed record Result(BlockGraph Graph, ReadOnlyMemory<byte> Document, string Format, AppliedOps Applied, IReadOnlyList<BlockError> Errors)
    {
        public Edited Answer(long version, bool isDryRun) => new(BlockView.Edited(version, Format, Graph, Applied, Errors, isDryRun), version);
    }

    private static List<JsonElement> ReadOps(ReadOnlyMemory<byte> body)
    {
        if (!StrictJson.TryParse(body.Span, Body, out var root, out var problem))
            throw new ProtocolException(problem.ToProtocolError());
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("ops", out var ops) || ops.ValueKind != JsonValueKind.Array)
            throw new ProtocolException(ProtocolError.Validation("'ops' must be a list of operations.", "ops"));

        return ops.GetArrayLength() <= EditOps.MaxOps
            ? [.. ops.EnumerateArray()]
            : throw new ProtocolException(ProtocolError.Validation($"'ops' may have at most {EditOps.MaxOps} operations.", "ops"));
    }

    private async Task<(StoredDefinition Head, JsonElement Definition)> HeadAsync(string tenant, string workflowId, CancellationToken cancellationToken) =>
        WorkflowIds.IsPossible(workflowId) && await store.FindOwnHeadAsync(tenant, workflowId, cancellationToken) is { } head
            ? (head, Parse(head.Document))
            : throw new ProtocolException(ProtocolError.NotFound("workflow"));

    private async Task<JsonElement> VersionAsync(string tenant, string workflowId, long version, CancellationToken cancellationToken) =>
        version > 0 && await store.FindVersionAsync(tenant, workflowId, version, cancellationToken) is { } found
            ? Parse(found.Document)
            : throw new ProtocolException(ProtocolError.NotFound("version"));

    private static JsonElement Parse(byte[] document) => JsonElement.Parse(document, new JsonDocumentOptions { MaxDepth = WorkflowLimits.Document.MaxDepth });

    private static string FormatOf(JsonElement definition) =>
        definition.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString()! : "1.0.0";
}
