using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Editing;

namespace OpenWop.Micro.Workflows.Tests.Editing;

public sealed class DefinitionDocumentTests
{
    public static TheoryData<string> Fixtures =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows"), "*.json").Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void An_uploaded_definition_comes_back_valid_and_the_same_when_nothing_was_edited(string file)
    {
        var before = JsonElement.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows", file)));

        var utf8 = DefinitionDocument.Write(before.GetProperty("id").GetString()!, before, DefinitionDocument.Read(before.GetProperty("id").GetString()!, before), ConnectorSet.BuiltIn);
        var after = JsonNode.Parse(utf8.Span)!;

        Assert.Null(WorkflowValidator.Validate(utf8.Span).ToProtocolError());
        foreach (var member in new[] { "nodes", "edges", "variables", "settings" })
            Assert.True(JsonNode.DeepEquals(JsonSerializer.SerializeToNode(before.GetProperty(member)), after[member]), member);
    }

    [Fact]
    public void An_edited_graph_is_a_valid_definition_whose_nodes_are_the_blocks()
    {
        var graph = Patch.Apply(
            Patch.Trigger,
            Patch.Fetch,
            Patch.Connect("start", "fetch", "success"),
            """{"operation_type":"disable","block_id":"fetch"}""",
            """{"operation_type":"set_variables","variables":{"tenant":"x"}}""").Graph;

        var utf8 = DefinitionDocument.Write("wf", default, graph, ConnectorSet.BuiltIn);

        Assert.Null(WorkflowValidator.Validate(utf8.Span).ToProtocolError());
        var read = DefinitionDocument.Read("wf", JsonElement.Parse(utf8.Span));
        Assert.Equal([("start", true), ("fetch", false)], read.Blocks.Select(block => (block.Id, block.IsEnabled)).ToArray());
        Assert.Equal(("start", "fetch", "success"), Assert.Single(read.Connections.Select(edge => (edge.Source, edge.Target, edge.Handle))));
        Assert.Equal("x", read.Variables.GetProperty("tenant").GetString());
    }

    [Fact]
    public void A_node_that_is_no_block_can_be_edited_and_keeps_what_the_view_does_not_show()
    {
        var before = JsonElement.Parse("""
            {"id":"wf","name":"wf","version":"1.0","triggers":[{"id":"t","type":"manual","nodeId":"b"}],"variables":[],"metadata":{},"settings":{},
             "nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":1,"y":2},"config":{"x":9007199254740993},"inputs":{"in":{"type":"connection","nodeId":"b","outputKey":"o"}},"notes":"n"},
                      {"id":"b","typeId":"core.noop","name":"b","position":{"x":0,"y":0},"config":{},"inputs":{}}],
             "edges":[{"id":"e9","sourceNodeId":"b","targetNodeId":"a","triggerRule":"all_complete"}]}
            """);

        var result = Patch.On(DefinitionDocument.Read("wf", before), """{"operation_type":"edit","block_id":"a","params":{"y":1}}""");
        var kept = JsonElement.Parse(DefinitionDocument.Write("wf", before, result.Graph, ConnectorSet.BuiltIn).Span);
        Assert.Equal("9007199254740993", kept.GetProperty("nodes")[0].GetProperty("config").GetProperty("x").GetRawText());
        Assert.Equal("n", kept.GetProperty("nodes")[0].GetProperty("notes").GetString());
        Assert.Equal("all_complete", kept.GetProperty("edges")[0].GetProperty("triggerRule").GetString());

        // Nothing refers to a node that is gone.
        var graph = DefinitionDocument.Read("wf", before);
        EditOps.Apply(graph, [JsonElement.Parse("""{"operation_type":"delete","block_id":"b"}""")], ConnectorSet.BuiltIn);
        var utf8 = DefinitionDocument.Write("wf", before, graph, ConnectorSet.BuiltIn);
        Assert.Null(WorkflowValidator.Validate(utf8.Span).ToProtocolError());
    }
}
