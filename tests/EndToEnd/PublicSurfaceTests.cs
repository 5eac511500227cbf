using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class EmbeddedSurfaceTests(EmbeddedInstallation fixture) : PublicSurfaceTests(fixture), IClassFixture<EmbeddedInstallation>;

public sealed class SeparateSurfaceTests(SeparateInstallation fixture) : PublicSurfaceTests(fixture), IClassFixture<SeparateInstallation>;

public sealed class ServerSurfaceTests(ServerInstallation fixture) : PublicSurfaceTests(fixture), IClassFixture<ServerInstallation>;

/// <summary>What a client may rely on, whatever the form of the installation.</summary>
public abstract class PublicSurfaceTests(InstallationFixture fixture) : IDisposable
{
    private readonly Client _client = new(fixture.Installation.BaseUrl);

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_run_can_be_created_followed_and_read()
    {
        await _client.StoreAsync("life", $"[{Client.Node("a", "core.noop")},{Client.Node("b", "core.noop")}]", """[{"id":"ab","sourceNodeId":"a","targetNodeId":"b"}]""");
        using var response = await _client.SendAsync("POST", "/v1/runs", """{"workflowId":"life"}""");
        Assert.Equal(201, (int)response.StatusCode);
        var created = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        var eventsUrl = new Uri(created.GetProperty("eventsUrl").GetString()!);
        var statusUrl = new Uri(created.GetProperty("statusUrl").GetString()!);
        Assert.True(fixture.Installation.BaseUrl.IsBaseOf(eventsUrl) && fixture.Installation.BaseUrl.IsBaseOf(statusUrl));

        var streamed = await _client.StreamAsync(eventsUrl.PathAndQuery + "?streamMode=debug");
        Assert.Equal(
            ["run.started", "node.started", "node.completed", "node.started", "node.completed", "run.completed"],
            streamed.Select(frame => frame.Event));
        Assert.Equal(Enumerable.Range(0, streamed.Count).Select(sequence => $"{sequence}"), streamed.Select(frame => frame.Id));

        var snapshot = await _client.GetAsync(statusUrl.PathAndQuery);
        Assert.Equal("completed", snapshot.GetProperty("status").GetString());
        Assert.Equal("life", snapshot.GetProperty("workflowId").GetString());

        var polled = await _client.GetAsync(eventsUrl.PathAndQuery + "/poll");
        Assert.Equal(streamed.Select(frame => frame.Data), polled.GetProperty("events").EnumerateArray().Select(document => document.GetRawText()));
        Assert.True(polled.GetProperty("isComplete").GetBoolean() && polled.GetProperty("isTerminal").GetBoolean());
        Assert.Equal((streamed.Count - 1, "completed"), (polled.GetProperty("lastEventSeq").GetInt32(), polled.GetProperty("runStatus").GetString()));

        var log = await _client.GetAsync(eventsUrl.PathAndQuery, ("Accept", "application/json"));
        Assert.Equal(polled.GetProperty("events").GetRawText(), log.GetProperty("events").GetRawText());
    }

    [Fact]
    public async Task A_finished_stream_resumes_after_the_last_event_seen()
    {
        await _client.StoreAsync("resume", $"[{Client.Node("a", "core.noop")}]");
        var runId = await _client.CreateAsync("resume");
        await _client.UntilAsync(runId, "completed");
        var all = await _client.StreamAsync($"/v1/runs/{runId}/events");
        var rest = await _client.StreamAsync($"/v1/runs/{runId}/events", ("Last-Event-ID", all[0].Id!));
        Assert.Equal(all.Skip(1), rest);
        Assert.Empty(await _client.StreamAsync($"/v1/runs/{runId}/events", ("Last-Event-ID", all[^1].Id!)));
    }

    [Fact]
    public async Task A_poll_beyond_the_end_is_empty_and_at_once()
    {
        await _client.StoreAsync("beyond", $"[{Client.Node("a", "core.noop")}]");
        var runId = await _client.CreateAsync("beyond");
        await _client.UntilAsync(runId, "completed");
        var page = await _client.GetAsync($"/v1/runs/{runId}/events/poll?lastSequence=999&timeout=30").WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, page.GetProperty("events").GetArrayLength());
        Assert.True(page.GetProperty("isComplete").GetBoolean());
    }

    [Fact]
    public async Task A_messages_stream_of_a_waiting_run_opens_at_once()
    {
        await _client.StoreAsync("quiet", $"[{Client.Node("a", "core.delay", """{"delayMs":60000}""")}]");
        var runId = await _client.CreateAsync("quiet");
        using var response = await _client.SendAsync("GET", $"/v1/runs/{runId}/events?streamMode=messages").WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(200, (int)response.StatusCode);
        (await _client.SendAsync("POST", $"/v1/runs/{runId}/cancel")).Dispose();
        Assert.Equal("", await response.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_waiting_run_can_be_cancelled()
    {
        await _client.StoreAsync("wait", $"[{Client.Node("a", "core.delay", """{"delayMs":60000}""")}]");
        var runId = await _client.CreateAsync("wait");
        var stream = _client.StreamAsync($"/v1/runs/{runId}/events");
        using (var cancel = await _client.SendAsync("POST", $"/v1/runs/{runId}/cancel", """{"reason":"enough"}"""))
        {
            Assert.Equal(200, (int)cancel.StatusCode);
            var body = JsonElement.Parse(await cancel.Content.ReadAsStringAsync());
            Assert.Equal(runId, body.GetProperty("runId").GetString());
            Assert.Contains(body.GetProperty("status").GetString(), new[] { "cancelling", "cancelled" });
        }

        Assert.Equal("run.cancelled", (await stream)[^1].Event);
        Assert.Equal("cancelled", (await _client.GetAsync("/v1/runs/" + runId)).GetProperty("status").GetString());
        using var again = await _client.SendAsync("POST", $"/v1/runs/{runId}/cancel");
        Assert.Equal(200, (int)again.StatusCode);
    }

    [Fact]
    public async Task Cancelling_a_run_that_is_over_changes_nothing()
    {
        await _client.StoreAsync("over", $"[{Client.Node("a", "core.noop")}]");
        var runId = await _client.CreateAsync("over");
        await _client.UntilAsync(runId, "completed");
        using var cancel = await _client.SendAsync("POST", $"/v1/runs/{runId}/cancel");
        Assert.Equal(200, (int)cancel.StatusCode);
        Assert.Equal("completed", (await _client.GetAsync("/v1/runs/" + runId)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_run_can_be_paused_and_goes_on_when_resumed()
    {
        await _client.StoreAsync("pausable", $"[{Client.Node("a", "core.delay", """{"delayMs":60000}""")}]");
        var runId = await _client.CreateAsync("pausable");
        await (await _client.SendAsync("POST", $"/v1/runs/{runId}:resume")).IsErrorAsync(409, "run_not_paused");
        await (await _client.SendAsync("POST", $"/v1/runs/{runId}:pause", """{"drain":1}""")).IsErrorAsync(400, "validation_error");
        using var paused = await _client.SendAsync("POST", $"/v1/runs/{runId}%3Apause", """{"drainPolicy":"immediate"}""", ("Idempotency-Key", "p-" + runId));
        Assert.Equal(202, (int)paused.StatusCode);
        await _client.UntilAsync(runId, "paused");
        using var replayed = await _client.SendAsync("POST", $"/v1/runs/{runId}:pause", """{"drainPolicy":"immediate"}""", ("Idempotency-Key", "p-" + runId));
        Assert.Equal(202, (int)replayed.StatusCode);
        Assert.Equal(await paused.Content.ReadAsStringAsync(), await replayed.Content.ReadAsStringAsync());
        var refused = await (await _client.SendAsync("POST", $"/v1/runs/{runId}:pause")).IsErrorAsync(409, "run_not_pausable");
        Assert.Equal("paused", refused.GetProperty("details").GetProperty("runStatus").GetString());

        var resumed = await _client.Engine.ResumeRunAsync(new ResumeRunRequest { RunId = runId }, _client.GrpcHeaders);
        Assert.Equal("running", resumed.Status);
        await _client.UntilAsync(runId, "running");
    }

    [Fact]
    public async Task An_approval_can_be_given_by_run_and_by_token()
    {
        await _client.StoreAsync("gated", $"[{Client.Node("gate", "core.approvalGate", """{"title":"Go?","actions":["accept","reject"]}""")}]");
        var byRun = await _client.CreateAsync("gated");
        await _client.UntilAsync(byRun, "waiting-approval");
        await (await _client.SendAsync("POST", $"/v1/runs/{byRun}/interrupts/other", """{"resumeValue":{"action":"accept"} }""")).IsErrorAsync(404, "interrupt_not_found");
        await (await _client.SendAsync("POST", $"/v1/runs/{byRun}/interrupts/gate", """{"resumeValue":{"action":"maybe"} }""")).IsErrorAsync(400, "validation_error");
        await (await _client.SendAsync("POST", $"/v1/runs/{byRun}/interrupts/gate", "{}")).IsErrorAsync(400, "validation_error");
        using var answered = await _client.SendAsync("POST", $"/v1/runs/{byRun}/interrupts/gate", """{"resumeValue":{"action":"accept"} }""");
        Assert.Equal(200, (int)answered.StatusCode);
        await _client.UntilAsync(byRun, "completed");

        var byToken = await _client.CreateAsync("gated");
        await _client.UntilAsync(byToken, "waiting-approval");
        var token = (await _client.GetAsync("/v1/runs/" + byToken)).GetProperty("interrupt").GetProperty("interruptToken").GetString()!;
        using var nobody = new Client(fixture.Installation.BaseUrl, "");
        var asked = await nobody.GetAsync("/v1/interrupts/" + token);
        Assert.Equal("approval", asked.GetProperty("kind").GetString());
        await (await nobody.SendAsync("POST", $"/v1/interrupts/{token}x", "{}")).IsErrorAsync(404, "interrupt_not_found");
        await (await nobody.SendAsync("POST", $"/v1/interrupts/{token}", "{}")).IsErrorAsync(400, "validation_error");
        var resolved = await nobody.Engine.ResolveInterruptByTokenAsync(
            new ResolveInterruptByTokenRequest { Token = token, ResumeValue = Google.Protobuf.ByteString.CopyFromUtf8("""{"action":"accept"}""") },
            new Metadata { { "idempotency-key", "token-1" } });
        Assert.Equal((byToken, "gate"), (resolved.RunId, resolved.NodeId));

        // The same call again, over the other transport; then another one under the same key, and one under none.
        using var again = await nobody.SendAsync("POST", $"/v1/interrupts/{token}", """{"resumeValue":{"action":"accept"}}""", ("Idempotency-Key", "token-1"));
        Assert.Equal((200, "true"), ((int)again.StatusCode, again.Headers.GetValues("openwop-Idempotent-Replay").Single()));
        await (await nobody.SendAsync("POST", $"/v1/interrupts/{token}", """{"resumeValue":{"action":"reject"}}""", ("Idempotency-Key", "token-1"))).IsErrorAsync(409, "idempotency_key_mismatch");
        await (await nobody.SendAsync("POST", $"/v1/interrupts/{token}", """{"resumeValue":{"action":"accept"}}""")).IsErrorAsync(409, "interrupt_already_resolved");
        await _client.UntilAsync(byToken, "completed");
    }

    [Fact]
    public async Task A_definition_is_kept_verbatim_and_guarded_by_its_entity_tag()
    {
        // Spelling that no serializer would choose, inside what the engine does not read.
        var definition = Client.Workflow("verbatim", $"[ {Client.Node("a", "core.noop", """{ "n" : 1.50, "s":"\u0041" }""")} ]");
        using var created = await _client.SendAsync("PUT", "/v1/workflows/verbatim", definition, ("If-None-Match", "*"));
        Assert.True(created.StatusCode == System.Net.HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        var etag = created.Headers.ETag!.ToString();

        using var read = await _client.SendAsync("GET", "/v1/workflows/verbatim");
        Assert.Equal(definition, await read.Content.ReadAsStringAsync());
        Assert.Equal(etag, read.Headers.ETag!.ToString());
        using var unchanged = await _client.SendAsync("GET", "/v1/workflows/verbatim", headers: ("If-None-Match", etag));
        Assert.Equal(304, (int)unchanged.StatusCode);

        await (await _client.SendAsync("PUT", "/v1/workflows/verbatim", definition, ("If-None-Match", "*"))).IsErrorAsync(412, "precondition_failed");
        await (await _client.SendAsync("PUT", "/v1/workflows/verbatim", definition, ("If-Match", "\"other\""))).IsErrorAsync(412, "precondition_failed");
        using var updated = await _client.SendAsync("PUT", "/v1/workflows/verbatim", Client.Workflow("verbatim", $"[{Client.Node("b", "core.noop")}]"), ("If-Match", etag));
        Assert.Equal(200, (int)updated.StatusCode);
        Assert.NotEqual(etag, updated.Headers.ETag!.ToString());
    }

    [Theory]
    [InlineData("POST", "/v1/runs", "{", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", "{}", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", "[]", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", """{"workflowId":"no-such-workflow"}""", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", """{"workflowId":"w","workflowID":"w"}""", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", """{"workflowId":"w","inputs":[]}""", 400, "validation_error")]
    [InlineData("POST", "/v1/runs", """{"workflowId":"w","tags":[1]}""", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/none", null, 404, "not_found")]
    [InlineData("GET", "/v1/runs/none/events", null, 404, "not_found")]
    [InlineData("GET", "/v1/runs/none/events/poll", null, 404, "not_found")]
    [InlineData("GET", "/v1/runs/none/events?streamMode=no", null, 400, "unsupported_stream_mode")]
    [InlineData("POST", "/v1/runs/none/cancel", null, 404, "not_found")]
    [InlineData("GET", "/v1/workflows/none", null, 404, "not_found")]
    [InlineData("PUT", "/v1/workflows/w", "{", 400, "validation_error")]
    [InlineData("PUT", "/v1/workflows/w", "{}", 400, "validation_error")]
    [InlineData("PUT", "/v1/runs", "{}", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/nothing", null, 404, "not_found")]
    [InlineData("GET", "/nothing", null, 400, "unversioned_path")]
    public async Task Bad_input_is_refused_with_the_envelope(string method, string path, string? body, int status, string code) =>
        await (await _client.SendAsync(method, path, body)).IsErrorAsync(status, code);

    [Fact]
    public async Task Nothing_of_a_refused_request_comes_back()
    {
        const string Canary = "sk-canary-do-not-repeat";
        using var response = await _client.SendAsync("POST", "/v1/runs", $$"""{"workflowId":"{{Canary}}","inputs":{"text":"{{Canary}}"} }""");
        Assert.DoesNotContain(Canary, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Keys_decide_what_can_be_seen_and_done()
    {
        await _client.StoreAsync("mine", $"[{Client.Node("a", "core.noop")}]");
        var runId = await _client.CreateAsync("mine");
        using var reader = new Client(fixture.Installation.BaseUrl, Installation.ReaderKey);
        using var live = new Client(fixture.Installation.BaseUrl, Installation.LiveKey);
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        using var stranger = new Client(fixture.Installation.BaseUrl, "hk_test_of-nobody-known");
        using var nobody = new Client(fixture.Installation.BaseUrl, "");

        Assert.Equal(runId, (await reader.GetAsync("/v1/runs/" + runId)).GetProperty("runId").GetString());
        var refused = await (await reader.SendAsync("POST", $"/v1/runs/{runId}/cancel")).IsErrorAsync(403, "forbidden");
        Assert.Equal("runs:cancel", refused.GetProperty("details").GetProperty("scopeRequired").GetString());
        foreach (var blind in new[] { live, other })
        {
            await (await blind.SendAsync("GET", "/v1/runs/" + runId)).IsErrorAsync(404, "not_found");
            await (await blind.SendAsync("GET", $"/v1/runs/{runId}/events")).IsErrorAsync(404, "not_found");
            await (await blind.SendAsync("POST", $"/v1/runs/{runId}/cancel")).IsErrorAsync(404, "not_found");
        }

        await (await other.SendAsync("GET", "/v1/workflows/mine")).IsErrorAsync(404, "not_found");
        await (await stranger.SendAsync("GET", "/v1/runs/" + runId)).IsErrorAsync(401, "unauthenticated");
        await (await nobody.SendAsync("POST", "/v1/runs", "{}")).IsErrorAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task Equal_calls_at_the_same_moment_create_one_run()
    {
        await _client.StoreAsync("once", $"[{Client.Node("a", "core.noop")}]");
        const string Body = """{"workflowId":"once"}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _client.SendAsync("POST", "/v1/runs", Body, ("Idempotency-Key", "same"))));
        var bodies = new HashSet<string>();
        foreach (var answer in answers)
        {
            if (answer.StatusCode == System.Net.HttpStatusCode.Created)
                bodies.Add(await answer.Content.ReadAsStringAsync());
            else
                Assert.True((await answer.IsErrorAsync(409, "idempotency_in_flight")).GetProperty("details").GetProperty("retryAfter").GetInt64() > 0);
        }

        var body = Assert.Single(bodies);
        using var replay = await _client.SendAsync("POST", "/v1/runs", Body, ("Idempotency-Key", "same"));
        Assert.Equal("true", replay.Headers.GetValues("openwop-Idempotent-Replay").Single());
        Assert.Equal(body, await replay.Content.ReadAsStringAsync());
        await (await _client.SendAsync("POST", "/v1/runs", """{"workflowId":"other"}""", ("Idempotency-Key", "same"))).IsErrorAsync(409, "idempotency_key_mismatch");
        Assert.NotEqual(await _client.CreateAsync("once", ("Idempotency-Key", "another")), JsonElement.Parse(body).GetProperty("runId").GetString());

        // The same key of another tenant is another key.
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        await (await other.SendAsync("POST", "/v1/runs", Body, ("Idempotency-Key", "same"))).IsErrorAsync(400, "validation_error");
    }

    [Fact]
    public async Task Grpc_says_what_rest_says()
    {
        await _client.StoreAsync("twofold", $"[{Client.Node("a", "core.delay", """{"delayMs":300}""")},{Client.Node("b", "core.noop")}]", """[{"id":"ab","sourceNodeId":"a","targetNodeId":"b"}]""");
        var created = await _client.Engine.CreateRunAsync(
            new CreateRunRequest { Body = Google.Protobuf.ByteString.CopyFromUtf8("""{"workflowId":"twofold"}""") }, _client.GrpcHeaders);
        foreach (var mode in new[] { "debug", "updates", "values" })
        {
            var rest = _client.StreamAsync($"/v1/runs/{created.RunId}/events?streamMode={mode}");
            using var call = _client.Engine.StreamRunEvents(new StreamRunEventsRequest { RunId = created.RunId, StreamModes = { mode } }, _client.GrpcHeaders);
            var frames = new List<(string, string?, string)>();
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
                frames.Add((call.ResponseStream.Current.Event, $"{call.ResponseStream.Current.Sequence}", call.ResponseStream.Current.Json.ToStringUtf8()));
            Assert.Equal(await rest, frames);
        }

        var snapshot = await _client.Engine.GetRunAsync(new GetRunRequest { RunId = created.RunId }, _client.GrpcHeaders);
        using var rested = await _client.SendAsync("GET", "/v1/runs/" + created.RunId);
        Assert.Equal(await rested.Content.ReadAsStringAsync(), snapshot.Json.ToStringUtf8());
        var error = await Assert.ThrowsAsync<RpcException>(async () => await _client.Engine.GetRunAsync(new GetRunRequest { RunId = "none" }, _client.GrpcHeaders));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task Test_keys_and_live_keys_have_workflows_of_their_own()
    {
        using var live = new Client(fixture.Installation.BaseUrl, Installation.LiveKey);
        await _client.StoreAsync("two-modes", $"[{Client.Node("test", "core.noop")}]");
        using (var unknown = await live.SendAsync("GET", "/v1/workflows/two-modes"))
            Assert.Equal(404, (int)unknown.StatusCode);
        using (var refused = await live.SendAsync("POST", "/v1/runs", """{"workflowId":"two-modes"}"""))
            Assert.Equal(400, (int)refused.StatusCode);

        await live.StoreAsync("two-modes", $"[{Client.Node("live", "core.noop")}]");
        Assert.Equal("test", (await _client.GetAsync("/v1/workflows/two-modes")).GetProperty("nodes")[0].GetProperty("id").GetString());
        Assert.Equal("live", (await live.GetAsync("/v1/workflows/two-modes")).GetProperty("nodes")[0].GetProperty("id").GetString());
        var run = await live.CreateAsync("two-modes");
        using var foreign = await _client.SendAsync("GET", "/v1/runs/" + run);
        Assert.Equal(404, (int)foreign.StatusCode);
    }

    [Fact]
    public async Task Discovery_needs_no_key_and_is_the_same_every_time()
    {
        using var nobody = new Client(fixture.Installation.BaseUrl, "");
        using var first = await nobody.SendAsync("GET", "/.well-known/openwop");
        using var second = await nobody.SendAsync("GET", "/.well-known/openwop");
        Assert.Equal(200, (int)first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal((await _client.Engine.GetCapabilitiesAsync(new GetCapabilitiesRequest())).Json.ToStringUtf8(), await first.Content.ReadAsStringAsync());
    }
}
