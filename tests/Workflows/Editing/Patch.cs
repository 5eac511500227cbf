using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Workflows.Editing;

namespace OpenWop.Micro.Workflows.Tests.Editing;

/// <summary>What operations have come to.</summary>
internal sealed record PatchResult(BlockGraph Graph, IReadOnlyList<SkippedOp> Skipped, IReadOnlyList<BlockError> Errors, string Summary)
{
    public bool Ok => Skipped.Count == 0 && Errors.Count == 0;
}

/// <summary>Patches as authors write them.</summary>
internal static class Patch
{
    public const string Trigger = """{"operation_type":"add","block_id":"start","type":"trigger_webhook","params":{"path":"p"}}""";
    public const string Fetch = """{"operation_type":"add","block_id":"fetch","type":"http","params":{"url":"https://example.org"}}""";

    public static PatchResult Apply(params string[] ops) => On(DefinitionDocument.Empty(null, null), ops);

    /// <summary>Applies operations to a copy of a graph.</summary>
    public static PatchResult On(BlockGraph graph, params string[] ops) => On(graph, [.. ops.Select(op => JsonElement.Parse(op))]);

    public static PatchResult On(BlockGraph graph, IReadOnlyCollection<JsonElement> ops)
    {
        var copy = new BlockGraph(graph.Blocks, graph.Connections, graph.Name, graph.Description, graph.Variables);
        var applied = EditOps.Apply(copy, ops, ConnectorSet.BuiltIn);
        IReadOnlyList<BlockError> errors = [.. applied.Errors, .. BlockChecks.Check(copy, ConnectorSet.BuiltIn)];
        return new PatchResult(copy, applied.Skipped, errors, EditSummary.Of(applied, errors));
    }

    public static string Transform(string id, string template) =>
        $$$"""{"operation_type":"add","block_id":"{{{id}}}","type":"transform","params":{"template":{{{JsonSerializer.Serialize(template)}}}}}""";

    public static string Connect(string source, string target, string handle = "") =>
        $$"""{"operation_type":"connect","block_id":"{{source}}","target_block_id":"{{target}}","source_handle":"{{handle}}"}""";
}
