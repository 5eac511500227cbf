using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Workflows over HTTP: making, reading, versions, who may see them.</summary>
public abstract class WorkflowTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task A_workflow_is_made_read_listed_and_deleted()
    {
        var made = await _author.PostAsync("/api/workflows", """{"metadata":{"name":"Orders","description":"All of them","x":1},"blocks":[1]}""");
        var id = made.Body.GetProperty("id").GetString()!;
        var read = await _author.GetAsync($"/api/workflows/{id}");

        Assert.Equal(201, made.Status);
        Assert.Matches("^[A-Za-z0-9_-]{1,128}$", id);
        Assert.Equal(1, read.Body.GetProperty("version").GetInt32());
        Assert.Equal("""{"version":"1.0.0","metadata":{"name":"Orders","description":"All of them"},"blocks":[],"connections":[]}""", read.Body.GetProperty("workflow").GetRawText());
        Assert.Contains(await ListAsync("/api/workflows", limit: 2), item => item.GetProperty("id").GetString() == id && item.GetProperty("name").GetString() == "Orders");

        Assert.Equal(204, (await DeleteAsync(id, "1")).Status);
        foreach (var gone in new[] { $"/api/workflows/{id}", $"/api/workflows/{id}/versions", $"/v1/workflows/{id}" })
            Assert.Equal(404, (await _author.GetAsync(gone)).Status);
        Assert.Equal(404, (await DeleteAsync(id, "1")).Status);
        Assert.Equal(404, (await _author.PostAsync($"/api/workflows/{id}/run")).Status);
    }

    [Fact]
    public async Task What_is_edited_here_is_the_definition_of_the_protocol_and_the_other_way_round()
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Transform("t", "1"), Op.Connect("trg", "t"));
        var definition = (await _author.GetAsync($"/v1/workflows/{id}")).Body;
        Assert.Equal(id, definition.GetProperty("id").GetString());
        Assert.Equal(["trg", "t"], definition.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("id").GetString()!));

        var uploaded = $"up-{Guid.NewGuid():n}";
        var put = await _author.SendAsync(HttpMethod.Put, $"/v1/workflows/{uploaded}", $$"""
            {"id":"{{uploaded}}","name":"Up","version":"7","edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{},
             "nodes":[{"id":"n","typeId":"core.noop","name":"n","position":{"x":0,"y":0},"config":{},"inputs":{},"notes":"kept"}]}
            """);
        Assert.Equal(201, put.Status);
        var patched = await _author.PatchAsync(uploaded, 1, Op.Transform("t", "2"), Op.Connect("n", "t"));
        Assert.True(patched.Body.GetProperty("ok").GetBoolean(), patched.Body.GetProperty("summary").GetString());
        Assert.Equal("kept", (await _author.GetAsync($"/v1/workflows/{uploaded}")).Body.GetProperty("nodes")[0].GetProperty("notes").GetString());
        Assert.Equal(2, (await _author.OutputsAsync(uploaded)).GetProperty("t").GetProperty("result").GetInt32());
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_was_made_for()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var path = $"/api/workflows/{id}/operations";

        var stale = await _author.PostAsync(path, """{"ops":[]}""", "1");
        Assert.Equal((412, "version_mismatch", 2), (stale.Status, stale.Error, stale.Body.GetProperty("current").GetInt32()));
        Assert.Equal(428, (await _author.PostAsync(path, """{"ops":[]}""")).Status);
        foreach (var odd in new[] { "*", "0", "-1", "2abc", "W/\"2\"" })
            Assert.Equal((400, "invalid_if_match"), await StatusAsync(path, """{"ops":[]}""", odd));
        var tag = (await _author.GetAsync($"/api/workflows/{id}")).Headers.ETag!.Tag;
        Assert.Equal(200, (await _author.PostAsync(path, """{"ops":[]}""", tag)).Status);

        // What is asked for comes before the version of it.
        Assert.Equal((400, "invalid_body"), await StatusAsync(path, "{}", null));
        Assert.Equal((404, "not_found"), await StatusAsync("/api/workflows/none/operations", """{"ops":[]}""", null));
    }

    [Fact]
    public async Task Many_who_change_one_workflow_lose_nothing()
    {
        const int Clients = 64;
        var id = await _author.CreateAsync();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async i =>
        {
            var version = 1L;
            while (true)
            {
                var reply = await _author.PostAsync($"/api/workflows/{id}/operations", $$"""{"ops":[{{Op.Transform($"b{i}", "1")}}]}""", $"{version}");
                if (reply.Status == 200)
                    return;

                Assert.Equal(412, reply.Status);
                version = reply.Body.GetProperty("current").GetInt64();
            }
        }));

        var workflow = (await _author.GetAsync($"/api/workflows/{id}")).Body;
        Assert.Equal(Clients, workflow.GetProperty("workflow").GetProperty("blocks").GetArrayLength());
        Assert.Equal(Clients + 1, workflow.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Old_versions_stay_and_can_be_made_the_newest_again()
    {
        var id = await _author.CreateAsync(Op.Transform("a", "1"));
        await _author.PatchAsync(id, 2, Op.Transform("b", "2"));

        var versions = await ListAsync($"/api/workflows/{id}/versions", limit: 2);
        Assert.Equal([1, 2, 3], versions.Select(version => version.GetProperty("version").GetInt32()));
        var second = await _author.GetAsync($"/api/workflows/{id}/versions/2");
        Assert.Equal((2, 1), (second.Body.GetProperty("version").GetInt32(), second.Body.GetProperty("workflow").GetProperty("blocks").GetArrayLength()));
        foreach (var odd in new[] { "0", "9", "-1", "x", "99999999999999999999" })
            Assert.Equal(404, (await _author.GetAsync($"/api/workflows/{id}/versions/{odd}")).Status);

        var back = await _author.PostAsync($"/api/workflows/{id}/rollback", """{"version":2}""", "3");
        Assert.Equal((200, 4), (back.Status, back.Body.GetProperty("version").GetInt32()));
        Assert.Equal("a", (await _author.GetAsync($"/api/workflows/{id}")).Body.GetProperty("workflow").GetProperty("blocks")[0].GetProperty("id").GetString());
        Assert.Equal(412, (await _author.PostAsync($"/api/workflows/{id}/rollback", """{"version":2}""", "3")).Status);
        Assert.Equal(428, (await _author.PostAsync($"/api/workflows/{id}/rollback", """{"version":2}""")).Status);
        Assert.Equal(404, (await _author.PostAsync($"/api/workflows/{id}/rollback", """{"version":9}""", "4")).Status);
        Assert.Equal(400, (await _author.PostAsync($"/api/workflows/{id}/rollback", """{"version":"2"}""", "4")).Status);
    }

    [Fact]
    public async Task Others_cannot_learn_that_a_workflow_exists()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            var foreign = await host.Stranger.SendAsync(method, $"/api/workflows/{id}", null, ifMatch: "2");
            var unknown = await host.Stranger.SendAsync(method, "/api/workflows/wf-none", null, ifMatch: "2");
            Assert.Equal((unknown.Status, unknown.Body.GetRawText()), (foreign.Status, foreign.Body.GetRawText()));
            Assert.Equal(404, foreign.Status);
        }

        Assert.Equal(404, (await host.Stranger.PostAsync($"/api/workflows/{id}/run")).Status);
        Assert.DoesNotContain((await host.Stranger.GetAsync("/api/workflows?limit=200")).Body.GetProperty("data").EnumerateArray(), item => item.GetProperty("id").GetString() == id);
        Assert.Equal(200, (await _author.GetAsync($"/api/workflows/{id}")).Status);
    }

    [Fact]
    public async Task Credentials_and_scopes_come_first()
    {
        using var nobody = host.As(null);
        using var fake = host.As("hk_test_not-a-key");
        Assert.Equal((401, "unauthorized"), ((await nobody.PostAsync("/api/workflows", "x")).Status, (await fake.GetAsync("/api/runs")).Error));
        Assert.Equal(200, (await nobody.GetAsync("/health")).Status);
        Assert.Equal((403, 403), ((await host.Reader.PostAsync("/api/workflows", "x")).Status, (await host.Reader.PostAsync("/api/workflows/none/run", "x")).Status));
        Assert.Equal(200, (await host.Reader.GetAsync("/api/runs")).Status);
        var odd = await _author.SendAsync(HttpMethod.Patch, "/api/workflows", "{}");
        Assert.Equal((405, 404), (odd.Status, (await _author.GetAsync("/api/nothing")).Status));
    }

    [Theory]
    [InlineData("not-json")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"metadata":null}""")]
    [InlineData("""{"metadata":{"name":7}}""")]
    [InlineData("""{"metadata":{"name":"\ud800"}}""")]
    public async Task A_body_that_is_none_is_refused(string body)
    {
        var reply = await _author.PostAsync("/api/workflows", body);
        Assert.Equal((400, "invalid_body"), (reply.Status, reply.Error));
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=201")]
    [InlineData("limit=abc")]
    [InlineData("after=%00")]
    public async Task A_page_that_is_none_is_refused(string query)
    {
        Assert.Equal(400, (await _author.GetAsync($"/api/workflows?{query}")).Status);
        Assert.Equal(400, (await _author.GetAsync($"/api/runs?{query}")).Status);
    }

    [Theory]
    [InlineData("%F0%9F%98%80")]
    [InlineData("a%3Ab")]
    [InlineData("..%2F..")]
    public async Task An_odd_id_is_an_unknown_one(string id)
    {
        foreach (var path in new[] { "/api/workflows/{0}", "/api/workflows/{0}/versions", "/api/workflows/{0}/versions/1", "/api/connectors/{0}", "/api/runs/{0}", "/api/runs/{0}/logs" })
            Assert.Equal(404, (await _author.GetAsync(path.Replace("{0}", id, StringComparison.Ordinal))).Status);
        foreach (var path in new[] { "/api/workflows/{0}/run", "/api/runs/{0}/cancel" })
            Assert.Equal(404, (await _author.PostAsync(path.Replace("{0}", id, StringComparison.Ordinal))).Status);
        Assert.Equal(404, (await _author.PostAsync($"/api/workflows/{id}/operations", """{"ops":[]}""", "1")).Status);
    }

    private async Task<(int, string)> StatusAsync(string path, string body, string? ifMatch)
    {
        var reply = await _author.PostAsync(path, body, ifMatch);
        return (reply.Status, reply.Error);
    }

    private Task<Reply> DeleteAsync(string id, string? version) => _author.SendAsync(HttpMethod.Delete, $"/api/workflows/{id}", null, version);

    private async Task<List<JsonElement>> ListAsync(string path, int limit)
    {
        List<JsonElement> all = [];
        for (string? next = ""; next is not null;)
        {
            var page = (await _author.GetAsync($"{path}?limit={limit}{(next.Length > 0 ? $"&after={next}" : "")}")).Body;
            all.AddRange(page.GetProperty("data").EnumerateArray());
            next = page.GetProperty("pagination").GetProperty("next").GetString();
        }

        return all;
    }
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedWorkflowTests(EmbeddedHost host) : WorkflowTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterWorkflowTests(ClusterHost host) : WorkflowTests(host);
