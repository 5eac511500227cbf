using System.Diagnostics;
using System.Text.Json;
using CsCheck;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Editing;

namespace OpenWop.Micro.Workflows.Tests.Editing;

public sealed class EditOpsTests
{
    [Fact]
    public void A_patch_without_faults_is_ok_and_says_so()
    {
        var result = Patch.Apply(Patch.Trigger, Patch.Fetch, Patch.Connect("start", "fetch"));

        Assert.True(result.Ok);
        Assert.Equal("Applied all 3 operation(s) successfully.", result.Summary);
        Assert.Equal(["start", "fetch"], result.Graph.Blocks.Select(block => block.Id));
    }

    [Fact]
    public void Operations_apply_strictly_in_order()
    {
        var result = Patch.Apply(Patch.Trigger, Patch.Connect("start", "fetch"), Patch.Fetch);

        Assert.Equal("invalid_edge_target", Assert.Single(result.Skipped).Code);
        Assert.Equal(2, result.Graph.BlockCount);
        Assert.StartsWith("Applied 2 of 3 operation(s).", result.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("block_already_exists", Patch.Fetch)]
    [InlineData("block_type_not_registered", """{"operation_type":"add","block_id":"x","type":"gmail"}""")]
    [InlineData("block_not_found", """{"operation_type":"delete","block_id":"x"}""")]
    [InlineData("block_not_found", """{"operation_type":"edit","block_id":"x"}""")]
    [InlineData("invalid_edge_source", """{"operation_type":"connect","block_id":"x","target_block_id":"fetch"}""")]
    [InlineData("cycle_introduced", """{"operation_type":"connect","block_id":"fetch","target_block_id":"fetch"}""")]
    [InlineData("cycle_introduced", """{"operation_type":"connect","block_id":"fetch","target_block_id":"start"}""")]
    [InlineData("duplicate_connection", """{"operation_type":"connect","block_id":"start","target_block_id":"fetch","source_handle":""}""")]
    [InlineData("edge_not_found", """{"operation_type":"disconnect","block_id":"fetch","target_block_id":"start"}""")]
    [InlineData("edge_not_found", """{"operation_type":"disconnect","block_id":"start","target_block_id":"fetch","source_handle":"true"}""")]
    [InlineData("edge_not_found", """{"operation_type":"edit_connection","block_id":"fetch","target_block_id":"start","condition":"x"}""")]
    [InlineData("param_not_found", """{"operation_type":"remove_param","block_id":"fetch","param":"body"}""")]
    [InlineData("malformed_operation", """{"operation_type":"execute","block_id":"fetch"}""")]
    [InlineData("malformed_operation", """{"operation_type":"add","block_id":7,"type":"http"}""")]
    [InlineData("malformed_operation", """{"operation_type":"add","block_id":"x","type":"http","params":null}""")]
    [InlineData("malformed_operation", "null")]
    public void What_cannot_be_applied_is_skipped_with_its_reason_and_changes_nothing(string code, string op)
    {
        var before = Patch.Apply(Patch.Trigger, Patch.Fetch, Patch.Connect("start", "fetch")).Graph;

        var result = Patch.On(before, op);

        Assert.Equal(code, Assert.Single(result.Skipped).Code);
        Assert.Equal(before.Blocks.AsEnumerable(), result.Graph.Blocks.AsEnumerable());
        Assert.Equal(before.Connections.AsEnumerable(), result.Graph.Connections.AsEnumerable());
    }

    [Theory]
    [InlineData("trigger")]
    [InlineData("env")]
    [InlineData("vars")]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a.b")]
    [InlineData("a}}")]
    public void An_id_that_templates_cannot_name_is_refused(string id)
    {
        var result = Patch.Apply(Patch.Transform(id, "x"));

        Assert.Equal("invalid_block_id", Assert.Single(result.Skipped).Code);
        Assert.Empty(result.Graph.Blocks);
    }

    [Theory]
    [InlineData("accessToken")]
    [InlineData("__proto__")]
    [InlineData("constructor")]
    public void A_parameter_that_is_not_exposed_is_dropped_and_its_value_repeated_nowhere(string param)
    {
        var result = Patch.Apply(
            $$$"""{"operation_type":"add","block_id":"s","type":"slack","params":{"operation":"send","channel":"c","text":"t","{{{param}}}":"xoxb-1"}}""");

        var error = Assert.Single(result.Errors);
        Assert.Equal(param, error.Field);
        Assert.Contains("not exposed by block 'slack'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("xoxb-1", result.Summary, StringComparison.Ordinal);
        Assert.False(Assert.Single(result.Graph.Blocks).Params.TryGetProperty(param, out _));
    }

    [Fact]
    public void Missing_parameters_are_reported_by_every_patch_until_they_are_set()
    {
        var first = Patch.Apply("""{"operation_type":"add","block_id":"fetch","type":"http","params":{"url":null}}""");
        var second = Patch.On(first.Graph);
        var third = Patch.On(second.Graph, """{"operation_type":"edit","block_id":"fetch","params":{"url":"https://example.org"}}""");

        Assert.Equal("url", Assert.Single(first.Errors).Field);
        Assert.Equal("url", Assert.Single(second.Errors).Field);
        Assert.True(third.Ok);
    }

    [Theory]
    [InlineData("{{fetch.full_name}}", "Available: status, body, headers")]
    [InlineData("{{ghost.x}}", "no block has")]
    [InlineData("{{t.result}}", "not upstream")]
    [InlineData("{{env.TOKEN}}", "env")]
    [InlineData("{{secrets.token}}", "secrets")]
    public void A_reference_that_leads_nowhere_is_an_error(string template, string fragment)
    {
        var result = Patch.Apply(Patch.Fetch, Patch.Transform("t", template), Patch.Connect("fetch", "t"));

        var error = Assert.Single(result.Errors);
        Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
        Assert.Equal(template, error.Value);
    }

    [Theory]
    [InlineData("{{fetch.body.name}}")]
    [InlineData("{{fetch}}")]
    [InlineData("{{My Step.status}}")]
    [InlineData("{{my_step.status}}")]
    [InlineData("{{trigger.anything}}")]
    [InlineData("{{start.msg}}")]
    [InlineData("{{vars.x}}")]
    public void A_reference_by_id_name_or_slug_is_fine(string template)
    {
        var result = Patch.Apply(
            Patch.Trigger,
            Patch.Fetch,
            """{"operation_type":"rename","block_id":"fetch","name":"My Step"}""",
            Patch.Transform("t", template),
            Patch.Connect("start", "fetch"),
            Patch.Connect("fetch", "t"));

        Assert.Empty(result.Errors);
    }

    [Fact]
    public void Deleting_a_block_removes_its_connections_only()
    {
        var graph = Patch.Apply(
            Patch.Transform("a", "x"), Patch.Transform("b", "x"), Patch.Transform("c", "x"),
            Patch.Connect("a", "b"), Patch.Connect("b", "c"), Patch.Connect("a", "c")).Graph;

        var result = Patch.On(graph, """{"operation_type":"delete","block_id":"b"}""");

        Assert.Equal(("a", "c"), Assert.Single(result.Graph.Connections.Select(edge => (edge.Source, edge.Target))));
    }

    [Fact]
    public void A_connection_can_be_given_another_handle_in_its_place()
    {
        var result = Patch.Apply(
            Patch.Trigger,
            Patch.Fetch,
            Patch.Transform("t", "x"),
            Patch.Connect("start", "fetch"),
            Patch.Connect("fetch", "t"),
            """{"operation_type":"edit_connection","block_id":"start","target_block_id":"fetch","new_source_handle":"success"}""");

        Assert.True(result.Ok, result.Summary);
        Assert.Equal([("fetch", "success"), ("t", null)], result.Graph.Connections.Select(edge => (edge.Target, edge.Handle)));
    }

    [Fact]
    public void A_block_can_be_switched_off_moved_and_freed_of_a_parameter()
    {
        var result = Patch.Apply(
            Patch.Fetch,
            """{"operation_type":"disable","block_id":"fetch"}""",
            """{"operation_type":"set_position","block_id":"fetch","position":{"x":1.5,"y":-2}}""",
            """{"operation_type":"remove_param","block_id":"fetch","param":"url"}""",
            """{"operation_type":"set_metadata","metadata":{"name":"Sync"}}""",
            """{"operation_type":"set_variables","variables":{"tenant":"x"}}""");

        Assert.True(result.Ok, result.Summary);
        var block = Assert.Single(result.Graph.Blocks);
        Assert.Equal((false, 1.5, -2, 0), (block.IsEnabled, block.X, block.Y, block.Params.GetPropertyCount()));
        Assert.Equal("Sync", result.Graph.Name);
        Assert.Equal("x", result.Graph.Variables.GetProperty("tenant").GetString());
    }

    [Fact]
    public void Integers_beyond_2_to_the_53_survive()
    {
        var result = Patch.Apply("""{"operation_type":"add","block_id":"t","type":"transform","params":{"template":9007199254740993}}""");

        Assert.Equal("9007199254740993", Assert.Single(result.Graph.Blocks).Params.GetProperty("template").GetRawText());
    }

    [Fact]
    public void Scanning_for_templates_takes_linear_time()
    {
        var clock = Stopwatch.StartNew();

        Assert.Empty(References(new string('{', 2_000_000)));
        Assert.Empty(References(string.Concat(Enumerable.Repeat("{{a", 700_000))));
        Assert.Equal(["x"], References("{{{ x }}}"));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Random_patches_never_throw_keep_the_graph_sound_and_account_for_every_operation()
    {
        var id = OneOf("a", "b", "c", "d", "__proto__", "env", "", "x.y", "\u0000");
        var type = OneOf("add", "edit", "delete", "connect", "disconnect", "enable", "disable", "rename", "edit_connection", "set_position", "?");
        var kind = OneOf("http", "transform", "slack", "trigger_webhook", "none");
        var text = OneOf("{{a.status}}", "{{b}}", "{{", "}}{{}}", "{{{{c.result}}", "x");
        Gen.Select(type, id, id, kind, text).List[0, 40].Sample(ops =>
        {
            var read = ops.Select(op => JsonSerializer.SerializeToElement(new Dictionary<string, object>
            {
                ["operation_type"] = op.Item1,
                ["block_id"] = op.Item2,
                ["target_block_id"] = op.Item3,
                ["type"] = op.Item4,
                ["name"] = op.Item3,
                ["new_source_handle"] = op.Item3,
                ["params"] = new Dictionary<string, string> { ["template"] = op.Item5, ["url"] = op.Item5 },
            })).ToList();

            var result = Patch.On(DefinitionDocument.Empty(null, null), read);

            var ids = result.Graph.Blocks.Select(block => block.Id).ToHashSet();
            Assert.Equal(result.Graph.BlockCount, ids.Count);
            Assert.All(result.Graph.Connections, edge => Assert.True(ids.Contains(edge.Source) && ids.Contains(edge.Target)));
            Assert.True(result.Skipped.Count <= read.Count);

            // What is stored is valid whatever was sent.
            Assert.Null(WorkflowValidator.Validate(DefinitionDocument.Write("wf", default, result.Graph, ConnectorSet.BuiltIn).Span).ToProtocolError());

            // One by one gives the same graph as all at once.
            var single = read.Aggregate(DefinitionDocument.Empty(null, null), (graph, op) => Patch.On(graph, [op]).Graph);
            Assert.Equal(result.Graph.Connections.AsEnumerable(), single.Connections.AsEnumerable());
            Assert.Equal(result.Graph.Blocks.Select(block => (block.Id, block.IsEnabled)), single.Blocks.Select(block => (block.Id, block.IsEnabled)));
        });
    }

    [Fact]
    public void A_thousand_operations_are_applied_well_within_a_second()
    {
        var adds = Enumerable.Range(0, 500).Select(i => Patch.Transform($"b{i}", i == 0 ? "x" : $"{{{{b{i - 1}.result}}}}"));
        var edges = Enumerable.Range(1, 499).Select(i => Patch.Connect($"b{i - 1}", $"b{i}"));
        var clock = Stopwatch.StartNew();

        var result = Patch.Apply([.. adds, .. edges]);

        Assert.True(result.Ok, result.Summary);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"{clock.Elapsed}");
    }

    private static IEnumerable<string> References(string text) => Templates.Scan(text).Select(template => template.Reference);

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
