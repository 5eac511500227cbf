using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Editing;

namespace OpenWop.Micro.Workflows.Tests.Editing;

public sealed class DefinitionViewTests
{
    public static TheoryData<string> Fixtures =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows"), "*.json").Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void An_uploaded_definition_comes_back_valid_and_the_same_when_nothing_was_edited(string file)
    {
        var before = JsonElement.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows", file)));

        var after = DefinitionView.Write(DefinitionView.Read(before), before);

        Assert.True(WorkflowValidator.Validate(Encoding.UTF8.GetBytes(after.ToJsonString())).ToProtocolError() is null);
        foreach (var member in new[] { "nodes", "edges", "variables", "settings" })
            Assert.True(JsonNode.DeepEquals(JsonSerializer.SerializeToNode(before.GetProperty(member)), after[member]), member);
    }

    [Fact]
    public void An_edited_graph_is_a_valid_definition_whose_nodes_are_the_blocks()
    {
        var before = JsonElement.Parse("""{"id":"wf","name":"wf","version":"1.0.0","nodes":[],"edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}""");
        var graph = Patch.Apply(
            Patch.Trigger,
            Patch.Fetch,
            Patch.Connect("start", "fetch", "success"),
            """{"operation_type":"disable","block_id":"fetch"}""",
            """{"operation_type":"set_variables","variables":{"tenant":"x"}}""").Graph;

        var json = DefinitionView.Write(graph, before).ToJsonString();

        Assert.True(WorkflowValidator.Validate(Encoding.UTF8.GetBytes(json)).ToProtocolError() is null);
        var read = DefinitionView.Read(JsonElement.Parse(json));
        Assert.Equal([("start", true), ("fetch", false)], read.Blocks.Select(block => (block.Id, block.Enabled)).ToArray());
        Assert.Equal(graph.Connections.ToArray(), read.Connections.ToArray());
        Assert.Equal("x", read.Variables.GetProperty("tenant").GetString());
    }
}
