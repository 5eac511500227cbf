using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Workflows as files: exported, and imported where they came from or elsewhere.</summary>
public abstract class TransferTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task A_workflow_that_is_exported_and_imported_is_the_same_and_runs_alike()
    {
        var id = await _author.CreateAsync(
            Op.Trigger, Op.Transform("t", """{"big":9007199254740993,"text":"ünï \u0000 {{trigger.n}}","list":[null,1.50,{}]}""".Replace("\\u0000", "☃", StringComparison.Ordinal)),
            Op.Connect("trg", "t"), """{"operation_type":"set_metadata","metadata":{"name":"Orders","description":"All of them"}}""",
            """{"operation_type":"set_variables","variables":{"limit":10}}""", """{"operation_type":"set_position","block_id":"t","position":{"x":1.5,"y":-2}}""");
        var exported = await ExportAsync(_author, id);
        Assert.Equal(["format", "formatVersion", "source", "definition"], exported.EnumerateObject().Select(member => member.Name));
        Assert.Equal((id, 2), (exported.GetProperty("source").GetProperty("id").GetString(), exported.GetProperty("source").GetProperty("version").GetInt32()));

        var imported = await host.Stranger.PostAsync("/api/workflows/import", exported.GetRawText());
        Assert.Equal((201, true, 1), (imported.Status, imported.Body.GetProperty("ok").GetBoolean(), imported.Body.GetProperty("version").GetInt32()));
        var copy = imported.Body.GetProperty("id").GetString()!;
        Assert.NotEqual(id, copy);
        Assert.Equal(Without(exported.GetProperty("definition"), "id"), Without((await ExportAsync(host.Stranger, copy)).GetProperty("definition"), "id"));
        Assert.Equal(
            (await _author.GetAsync($"/api/workflows/{id}")).Body.GetProperty("workflow").GetRawText(), (await host.Stranger.GetAsync($"/api/workflows/{copy}")).Body.GetProperty("workflow").GetRawText());
        Assert.Equal((await _author.OutputsAsync(id, """{"n":1}""")).GetRawText(), (await host.Stranger.OutputsAsync(copy, """{"n":1}""")).GetRawText());
        Assert.Equal(exported.GetRawText(), (await ExportAsync(_author, id)).GetRawText());
    }

    [Fact]
    public async Task A_workflow_without_a_name_or_blocks_goes_by_its_new_id()
    {
        var id = await _author.CreateAsync();
        var imported = await _author.PostAsync("/api/workflows/import", (await ExportAsync(_author, id)).GetRawText());
        Assert.Equal("""{"version":"1.0.0","blocks":[],"connections":[]}""", imported.Body.GetProperty("workflow").GetRawText());
    }

    [Fact]
    public async Task What_is_in_a_definition_that_blocks_do_not_know_comes_along()
    {
        var id = $"up-{Guid.NewGuid():n}";
        var definition = $$"""
            {"id":"{{id}}","name":"Up","version":"7","edges":[],"triggers":[],"variables":[],"metadata":{"owner":"x"},"settings":{"timeout":60000},
             "nodes":[{"id":"n","typeId":"core.noop","name":"n","position":{"x":0,"y":0},"config":{"a":[1,{"b":null}]},"inputs":{},"notes":"kept"}]}
            """;
        Assert.Equal(201, (await _author.SendAsync(HttpMethod.Put, $"/v1/workflows/{id}", definition)).Status);
        var copy = (await _author.PostAsync("/api/workflows/import", (await ExportAsync(_author, id)).GetRawText())).Body.GetProperty("id").GetString();

        Assert.True(JsonElement.DeepEquals(
            JsonElement.Parse(definition.Replace(id, copy, StringComparison.Ordinal)), (await _author.GetAsync($"/v1/workflows/{copy}")).Body));
    }

    [Fact]
    public async Task An_import_takes_a_free_id_or_follows_the_version_that_it_was_made_for()
    {
        var id = await _author.CreateAsync(Op.Transform("a", "1"));
        var file = (await ExportAsync(_author, id)).GetRawText();
        await _author.PatchAsync(id, 2, Op.Transform("b", "2"));

        var taken = await _author.PostAsync($"/api/workflows/import?id={id}", file);
        Assert.Equal((409, "workflow_exists", 3), (taken.Status, taken.Error, taken.Body.GetProperty("current").GetInt32()));
        Assert.Equal((412, 3), Current(await _author.PostAsync($"/api/workflows/import?id={id}", file, "2")));
        var next = await _author.PostAsync($"/api/workflows/import?id={id}", file, "3");
        Assert.Equal((200, 4, id), (next.Status, next.Body.GetProperty("version").GetInt32(), next.Body.GetProperty("id").GetString()));
        Assert.Single(next.Body.GetProperty("workflow").GetProperty("blocks").EnumerateArray());
        Assert.Equal(2, (await ExportAsync(_author, id, "?version=3")).GetProperty("definition").GetProperty("nodes").GetArrayLength());

        // Ids belong to tenants: what is taken here is free there.
        Assert.Equal(201, (await host.Stranger.PostAsync($"/api/workflows/import?id={id}", file)).Status);
        Assert.Equal(404, (await _author.PostAsync("/api/workflows/import?id=never-was", file, "1")).Status);
        Assert.Equal((404, 404), ((await _author.GetAsync("/api/workflows/never-was/export")).Status, (await _author.GetAsync($"/api/workflows/{id}/export?version=99")).Status));

        // A deleted workflow comes back as its next version.
        await _author.SendAsync(HttpMethod.Delete, $"/api/workflows/{id}", null, ifMatch: "4");
        var again = await _author.PostAsync($"/api/workflows/import?id={id}", file);
        Assert.Equal((201, 5), (again.Status, again.Body.GetProperty("version").GetInt32()));
    }

    [Fact]
    public async Task A_file_has_no_secrets_and_says_what_it_left_out()
    {
        var id = $"sec-{Guid.NewGuid():n}";
        Assert.Equal(201, (await _author.SendAsync(HttpMethod.Put, $"/v1/workflows/{id}", $$$$"""
            {"id":"{{{{id}}}}","name":"Secrets","version":"1","edges":[],"triggers":[],"metadata":{},"settings":{},
             "variables":[{"name":"token","type":"string","defaultValue":"xoxb-1","sensitive":true},{"name":"open","type":"string","defaultValue":"kept"}],
             "nodes":[
               {"id":"s","typeId":"slack","name":"s","position":{"x":0,"y":0},"inputs":{},"config":{"operation":"send","channel":"c","text":"t","accessToken":"xoxb-2"}},
               {"id":"h","typeId":"http","name":"h","position":{"x":0,"y":0},"inputs":{},
                "config":{"url":"http://x","headers":{"Authorization":"Bearer xoxb-3","Accept":"text/plain","X-Api-Key":"{{vars.token}}"}}}]}
            """)).Status);
        var file = await ExportAsync(_author, id);

        Assert.DoesNotContain("xoxb", file.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(
            ["/nodes/0/config/accessToken", "/nodes/1/config/headers/Authorization", "/variables/0/defaultValue"],
            file.GetProperty("omitted").EnumerateArray().Select(place => place.GetString()!).Order(StringComparer.Ordinal));
        Assert.Contains("{{vars.token}}", file.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(201, (await _author.PostAsync("/api/workflows/import", file.GetRawText())).Status);

        // What operations cannot set an import cannot set either.
        var smuggled = file.GetRawText().Replace("\"channel\":\"c\"", "\"channel\":\"c\",\"accessToken\":\"xoxb-4\"", StringComparison.Ordinal);
        var imported = await _author.PostAsync("/api/workflows/import", smuggled);
        Assert.Equal("/nodes/0/config/accessToken", Assert.Single(imported.Body.GetProperty("omitted").EnumerateArray()).GetString());
        Assert.DoesNotContain("xoxb-4", (await _author.GetAsync($"/v1/workflows/{imported.Body.GetProperty("id").GetString()}")).Body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_that_cannot_run_is_stored_and_says_why()
    {
        var id = await _author.CreateAsync();
        await _author.PatchAsync(id, 1, Op.Add("h", "http"), Op.Transform("t", "\"{{nobody.x}}\""));
        var imported = await _author.PostAsync("/api/workflows/import", (await ExportAsync(_author, id)).GetRawText());

        Assert.Equal((201, false), (imported.Status, imported.Body.GetProperty("ok").GetBoolean()));
        Assert.Equal(["required_field_missing", "unknown_reference"], imported.Body.GetProperty("validation_errors").EnumerateArray().Select(error => error.GetProperty("code").GetString()!));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"format":"openwop.workflow"}""")]
    [InlineData("""{"format":"other","formatVersion":1,"definition":{}}""")]
    [InlineData("""{"format":"openwop.workflow","formatVersion":2,"definition":{}}""")]
    [InlineData("""{"format":"openwop.workflow","formatVersion":"1","definition":{}}""")]
    [InlineData("""{"format":"openwop.workflow","formatVersion":1,"definition":[]}""")]
    [InlineData("""{"format":"openwop.workflow","formatVersion":1,"definition":{"id":"x"}}""")]
    [InlineData("""{"format":"openwop.workflow","formatVersion":1,"definition":{"id":"x","name":"x","version":"1","nodes":[{"id":"a"}],"edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}}""")]
    public async Task A_file_that_is_none_is_refused(string file)
    {
        var reply = await _author.PostAsync("/api/workflows/import", file);
        Assert.Equal((400, "invalid_body"), (reply.Status, reply.Error));
        Assert.Equal(400, (await _author.PostAsync("/api/workflows/import?id=a%2Fb", file)).Status);
        Assert.Equal(400, (await _author.PostAsync("/api/workflows/import", file, "1")).Status);
    }

    [Fact]
    public async Task A_file_that_is_too_large_or_too_deep_is_refused()
    {
        var text = new string('x', 6 << 20);
        var large = $$"""{"format":"openwop.workflow","definition":{"x":"{{text}}"},"formatVersion":1}""";
        Assert.Equal(413, (await _author.PostAsync("/api/workflows/import", large)).Status);
        var nested = string.Concat(Enumerable.Repeat("{\"d\":", 500)) + "1" + new string('}', 500);
        var deep = $$"""{"format":"openwop.workflow","definition":{{nested}},"formatVersion":1}""";
        Assert.Equal(400, (await _author.PostAsync("/api/workflows/import", deep)).Status);
    }

    [Fact]
    public async Task Files_are_the_tenants_own()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        Assert.Equal(404, (await host.Stranger.GetAsync($"/api/workflows/{id}/export")).Status);
        Assert.Equal(403, (await host.Reader.PostAsync("/api/workflows/import", "x")).Status);
    }

    private static async Task<JsonElement> ExportAsync(Author author, string id, string query = "")
    {
        var reply = await author.GetAsync($"/api/workflows/{id}/export{query}");
        Assert.Equal(200, reply.Status);
        return reply.Body;
    }

    private static string Without(JsonElement document, string name) =>
        string.Join('\n', document.EnumerateObject().Where(member => member.Name != name).Select(member => $"{member.Name}: {member.Value.GetRawText()}"));

    private static (int, int) Current(Reply reply) => (reply.Status, reply.Body.GetProperty("current").GetInt32());
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedTransferTests(EmbeddedHost host) : TransferTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterTransferTests(ClusterHost host) : TransferTests(host);
