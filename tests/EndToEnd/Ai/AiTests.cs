using System.Text;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.EndToEnd.Tests.Ai;

/// <summary>Nodes that ask models, over the wire on both sides.</summary>
public sealed class AiTests(AiInstallation fixture) : IClassFixture<AiInstallation>, IDisposable
{
    private const string Canary = "sk-CANARY-openwop-never-anywhere-0007";

    private readonly Client _client = new(fixture.Installation.BaseUrl);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("openai", null)]
    [InlineData("anthropic", "provider-key")]
    [InlineData("local", null)]
    public async Task A_prompt_is_answered_token_by_token_with_usage_and_cost(string provider, string? credential)
    {
        await PutSecretAsync("provider-key", "sk-a-key-of-the-caller");
        var run = await RunAsync(provider, $"priced-{provider}", credential, """,{"prompt":"Say hello","systemPrompt":"Be short","temperature":0.5,"maxTokens":50}""");

        Assert.True(run.Status == "completed", run.Snapshot.GetRawText());
        Assert.Equal("Hello, world", run.Outputs.GetProperty("text").GetString());
        Assert.Equal("stop", run.Outputs.GetProperty("finishReason").GetString());
        var chunks = run.Frames.Select(frame => JsonElement.Parse(frame.Data)).ToList();
        Assert.All(run.Frames, frame => Assert.Equal("ai.message.chunk", frame.Event));
        Assert.Equal("Hello, world", string.Concat(chunks.Select(chunk => chunk.GetProperty("chunk").GetString())));
        Assert.All(chunks, chunk => Assert.Equal((run.Id, "ask"), (chunk.GetProperty("runId").GetString(), chunk.GetProperty("nodeId").GetString())));
        Assert.Single(chunks, chunk => chunk.GetProperty("isLast").GetBoolean());
        Assert.Equal(3, chunks[^1].GetProperty("meta").GetProperty("usage").GetProperty("completionTokens").GetInt32());

        var usage = Assert.Single(run.Events, document => document.GetProperty("type").GetString() == "provider.usage").GetProperty("payload");
        Assert.Equal((7, 3, provider), (usage.GetProperty("inputTokens").GetInt32(), usage.GetProperty("outputTokens").GetInt32(), usage.GetProperty("provider").GetString()));
        Assert.Equal(3, run.Snapshot.GetProperty("metrics").GetProperty("openwopCost").GetProperty("tokens").GetProperty("output").GetInt32());
        if (provider == "openai")
            Assert.Equal(((7 * 2.0) + (3 * 10.0)) / 1_000_000, usage.GetProperty("costEstimateUsd").GetDouble(), 9);

        var request = Assert.Single(fixture.Models.Of($"priced-{provider}"));
        Assert.Equal(provider switch { "openai" => StandInServer.OperatorKey, "anthropic" => "sk-a-key-of-the-caller", _ => "none" }, request.Key);
        Assert.NotEmpty(request.IdempotencyKey);
        Assert.Equal(50, request.Body.GetProperty("max_tokens").GetInt32());
    }

    [Fact]
    public async Task A_key_that_comes_back_in_pieces_is_let_through_nowhere()
    {
        await PutSecretAsync("leaked-key", Canary);
        var run = await RunAsync("openai", "leaky", "leaked-key", """,{"prompt":"Tell me"}""");
        Assert.True(run.Status == "completed", run.Snapshot.GetRawText());
        Assert.Contains("the key is [REDACTED:leaked-key] and in base64 [REDACTED:leaked-key]", run.Outputs.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(Canary, Assert.Single(fixture.Models.Of("leaky")).Key);

        var streamed = string.Concat(run.Frames.Select(frame => JsonElement.Parse(frame.Data).GetProperty("chunk").GetString()));
        Assert.StartsWith("the key is [REDACTED:leaked-key]", streamed, StringComparison.Ordinal);
        var bundle = (await _client.GetAsync($"/v1/runs/{run.Id}/debug-bundle")).GetRawText();
        foreach (var text in new[] { run.Snapshot.GetRawText(), string.Concat(run.Events), string.Concat(run.Frames), bundle, fixture.Installation.PublicProcess.Output })
            AssertNoCanary(text);

        foreach (var file in Directory.GetFiles(fixture.Installation.DataDirectory, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            Assert.True(bytes.AsSpan().IndexOf("CANARY"u8) < 0, file);
        }
    }

    [Theory]
    [InlineData("nobody", "m", null, "validation_error", null)]
    [InlineData("off", "m", null, "provider_policy_denied", "provider_disabled")]
    [InlineData("anthropic", "m", null, "provider_policy_denied", "byok_required")]
    [InlineData("anthropic", "m", "missing", "provider_policy_denied", "byok_required_but_unresolved")]
    [InlineData("picky", "bad-model", null, "provider_policy_denied", "model_not_allowed")]
    [InlineData("picky", "good-model", null, null, null)]
    [InlineData("local", "m", "missing", "credential_forbidden", null)]
    [InlineData("openai", "m", "missing", "credential_not_found", null)]
    [InlineData("openai", "locked", null, "provider_auth_failed", null)]
    [InlineData("openai", "down", null, "provider_unavailable", null)]
    [InlineData("openai", "flaky-1", null, null, null)]
    [InlineData("openai", "cut", null, null, null)]
    public async Task A_call_that_may_not_be_made_or_fails_says_why(string provider, string model, string? credential, string? code, string? reason)
    {
        var run = await RunAsync(provider, model, credential, """,{"prompt":"Say hello"}""");
        Assert.Equal(code is null ? "completed" : "failed", run.Status);
        if (code is null)
            return;

        var error = run.Snapshot.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        if (reason is not null)
            Assert.Equal(reason, error.GetProperty("details").GetProperty("reason").GetString());
        Assert.DoesNotContain(StandInServer.OperatorKey, run.Snapshot.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json-late", 2, null)]
    [InlineData("json-never", 3, "envelope_invalid")]
    [InlineData("refuses", 1, "envelope_refusal")]
    [InlineData("cut", 3, "envelope_truncation_unrecoverable")]
    public async Task Structured_output_is_asked_for_again_until_it_fits(string model, int calls, string? code)
    {
        var name = $"{model}";
        var before = fixture.Models.Of(name).Count();
        var id = await StoreAsync("core.ai.structuredOutput", """{"provider":"openai","model":"MODEL","prompt":"The answer","outputSchema":{"type":"object","required":["answer"],"properties":{"answer":{"type":"integer"}}}}""".Replace("MODEL", model, StringComparison.Ordinal));
        var runId = await _client.CreateAsync(id);
        await _client.UntilAsync(runId, code is null ? "completed" : "failed");
        var snapshot = await _client.GetAsync($"/v1/runs/{runId}");
        var types = (await EventsAsync(runId)).Select(document => document.GetProperty("type").GetString()).ToList();

        Assert.Equal(calls, fixture.Models.Of(name).Count() - before);
        Assert.Equal(calls, types.Count(type => type == "provider.usage"));
        Assert.Equal(calls - 1, types.Count(type => type == "envelope.retry.attempted"));
        if (code is null)
        {
            Assert.Equal(42, snapshot.GetProperty("nodeStates").GetProperty("ask").GetProperty("outputs").GetProperty("output").GetProperty("answer").GetInt32());
            return;
        }

        Assert.Equal(code, snapshot.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains(code == "envelope_refusal" ? "envelope.refusal" : "envelope.retry.exhausted", types);

        // What was asked for in vain is paid for all the same.
        var spent = (await EventsAsync(runId)).Where(document => TypeOf(document) == "provider.usage").Sum(document => document.GetProperty("payload").GetProperty("outputTokens").GetInt32());
        Assert.Equal(spent, snapshot.GetProperty("metrics").GetProperty("openwopCost").GetProperty("tokens").GetProperty("output").GetInt32());
        Assert.DoesNotContain("rather not", snapshot.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_repeats_answers_without_asking_anybody()
    {
        var run = await RunAsync("openai", "replayed", null, """,{"prompt":"Say hello"}""");
        Assert.True(run.Status == "completed", run.Snapshot.GetRawText());
        using var response = await _client.SendAsync("POST", $"/v1/runs/{run.Id}:fork", """{"mode":"replay","fromSeq":0}""");
        var fork = JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;
        await _client.UntilAsync(fork, "completed");

        Assert.Single(fixture.Models.Of("replayed"));
        var events = await EventsAsync(fork);
        Assert.Equal(run.Events.Select(TypeOf), events.Select(TypeOf));
        Assert.All(events.Where(document => TypeOf(document) == "output.chunk"), document => Assert.Equal(fork, document.GetProperty("payload").GetProperty("runId").GetString()));
    }

    [Fact]
    public async Task Mock_providers_answer_for_test_keys_only()
    {
        var id = await StoreAsync("core.ai.callPrompt", """{"expectsStreaming":true}""");
        string[] tokens = ["a", "b", "c"];
        var body = JsonSerializer.Serialize(new { workflowId = id, configurable = new { mockProvider = new { id = "stream-text", config = new { tokens, finishReason = "length" } } } });
        using var created = await _client.SendAsync("POST", "/v1/runs", body);
        var runId = JsonElement.Parse(await created.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;
        var frames = await _client.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages");
        Assert.Equal(["a", "b", "c"], frames.Select(frame => JsonElement.Parse(frame.Data).GetProperty("chunk").GetString()));
        Assert.Equal("length", JsonElement.Parse(frames[^1].Data).GetProperty("meta").GetProperty("finishReason").GetString());

        using var live = new Client(fixture.Installation.BaseUrl, Installation.LiveKey);
        await (await live.SendAsync("POST", "/v1/runs", body)).IsErrorAsync(403, "mock_provider_forbidden");
        await (await _client.SendAsync("POST", "/v1/runs", body.Replace("stream-text", "unheard-of", StringComparison.Ordinal))).IsErrorAsync(400, "unsupported_mock_provider");
    }

    [Fact]
    public async Task A_stream_that_a_crash_cuts_off_goes_on_under_the_same_identity()
    {
        await using var standIns = await StandInServer.StartAsync();
        var models = standIns.Models;
        (string, string)[] settings =
        [
            ("OPENWOP_AI_PROVIDERS", JsonSerializer.Serialize(new[] { new { id = "openai", url = standIns.Url + "/v1", keyless = true } })),
            ("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"),
            ("OPENWOP_CLAIM_TTL_MS", "1000"),
        ];
        var installation = await Installation.StartAsync(Form.Embedded, settings);
        try
        {
            string runId;
            using (var client = new Client(installation.BaseUrl))
            {
                await client.StoreAsync("slow", $"[{Client.Node("ask", "core.ai.callPrompt", """{"model":"slow-1","prompt":"Say hello"}""")}]");
                runId = await client.CreateAsync("slow");
                await Testing.Eventually.TrueAsync(async () => (await client.GetAsync($"/v1/runs/{runId}/events/poll")).GetRawText().Contains("Hello", StringComparison.Ordinal));
            }

            installation = await installation.RestartAfterCrashAsync(Form.Embedded, settings);
            using (var client = new Client(installation.BaseUrl))
            {
                await Testing.Eventually.TrueAsync(() => Task.FromResult(models.Of("slow-1").Count() == 2));
                models.Release();
                await client.UntilAsync(runId, "completed");
                Assert.Single(models.Of("slow-1").Select(request => request.IdempotencyKey).Distinct());
                var events = (await client.GetAsync($"/v1/runs/{runId}/events/poll")).GetProperty("events").EnumerateArray().ToList();
                Assert.Single(events, document => TypeOf(document) == "provider.usage");
                Assert.Single(events, document => TypeOf(document) == "output.chunk" && document.GetProperty("payload").GetProperty("isLast").GetBoolean());
            }
        }
        finally
        {
            await installation.DisposeAsync();
        }
    }

    private static string? TypeOf(JsonElement document) => document.GetProperty("type").GetString();

    private static void AssertNoCanary(string text)
    {
        Assert.DoesNotContain("CANARY", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)), text, StringComparison.Ordinal);
    }

    private async Task PutSecretAsync(string id, string value)
    {
        using var response = await _client.SendAsync("PUT", $"/v1/secrets/{id}", JsonSerializer.Serialize(new { value }));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<string> StoreAsync(string typeId, string config)
    {
        var id = "ai-" + Guid.NewGuid().ToString("n");
        await _client.StoreAsync(id, $"[{Client.Node("ask", typeId, config)}]");
        return id;
    }

    private async Task<FinishedRun> RunAsync(string provider, string model, string? credential, string moreConfig)
    {
        var config = JsonSerializer.Serialize(new { provider, model })[..^1] + ',' + moreConfig[2..];
        var id = await StoreAsync("core.ai.callPrompt", config);
        var body = credential is null
            ? JsonSerializer.Serialize(new { workflowId = id })
            : JsonSerializer.Serialize(new { workflowId = id, configurable = new { ai = new { credentialRef = credential } } });
        using var created = await _client.SendAsync("POST", "/v1/runs", body);
        var text = await created.Content.ReadAsStringAsync();
        Assert.True(created.IsSuccessStatusCode, text);
        var runId = JsonElement.Parse(text).GetProperty("runId").GetString()!;
        var frames = await _client.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages");
        var snapshot = await _client.GetAsync($"/v1/runs/{runId}");
        return new FinishedRun(runId, snapshot, await EventsAsync(runId), frames);
    }

    private async Task<List<JsonElement>> EventsAsync(string runId) => [.. (await _client.GetAsync($"/v1/runs/{runId}/events/poll")).GetProperty("events").EnumerateArray()];

    private sealed record FinishedRun(string Id, JsonElement Snapshot, List<JsonElement> Events, List<(string Event, string? Id, string Data)> Frames)
    {
        public string Status => Snapshot.GetProperty("status").GetString()!;

        public JsonElement Outputs => Snapshot.GetProperty("nodeStates").GetProperty("ask").GetProperty("outputs");
    }
}
