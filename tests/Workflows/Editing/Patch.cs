using System.Text.Json;
using OpenWop.Micro.Workflows.Editing;

namespace OpenWop.Micro.Workflows.Tests.Editing;

/// <summary>Patches as authors write them.</summary>
internal static class Patch
{
    public const string Trigger = """{"operation_type":"add","block_id":"start","type":"trigger_webhook","params":{"path":"p"}}""";
    public const string Fetch = """{"operation_type":"add","block_id":"fetch","type":"http","params":{"url":"https://example.org"}}""";

    public static EditResult Apply(params string[] ops) => On(BlockGraph.Empty, ops);

    public static EditResult On(BlockGraph graph, params string[] ops) =>
        GraphEditor.Apply(graph, [.. ops.Select(op => EditOpReader.Read(JsonElement.Parse(op)))]);

    public static string Transform(string id, string template) =>
        $$$"""{"operation_type":"add","block_id":"{{{id}}}","type":"transform","params":{"template":{{{JsonSerializer.Serialize(template)}}}}}""";

    public static string Connect(string source, string target, string handle = "") =>
        $$"""{"operation_type":"connect","block_id":"{{source}}","target_block_id":"{{target}}","source_handle":"{{handle}}"}""";
}
