using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.EndToEnd.Tests.Ai;

/// <summary>Two gateways, two engines, PostgreSQL and Redis, and stand-ins for providers.</summary>
public sealed class ClusterAiInstallation() : ServerInstallation(Form.Replicated)
{
    private StandInServer _standIns = null!;

    internal ModelServer Models => _standIns.Models;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _standIns.DisposeAsync();
    }

    protected override async Task<(string Name, string Value)[]> SettingsAsync()
    {
        _standIns = await StandInServer.StartAsync();
        return [.. await base.SettingsAsync(), .. _standIns.Settings, ("OPENWOP_LOG_LEVEL", "Debug")];
    }
}

/// <summary>Models and memory, where no two calls of a run meet the same processes.</summary>
public sealed class ClusterAiTests(ClusterAiInstallation fixture) : IClassFixture<ClusterAiInstallation>, IDisposable
{
    private const string Canary = "sk-CANARY-openwop-never-anywhere-0011";

    /// <summary>Enough for both engines to have some.</summary>
    private const int Runs = 8;

    private readonly Client _one = new(fixture.Installation.BaseUrl);
    private readonly Client _other = new(fixture.Installation.OtherUrl);

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task Text_is_streamed_to_whoever_listens_at_the_other_gateway_however_late_he_comes()
    {
        await _one.StoreAsync("streams", $"[{Client.Node("ask", "core.ai.callPrompt", """{"provider":"local","model":"spoken","prompt":"Say hello"}""")}]");
        await Task.WhenAll(Enumerable.Range(0, Runs).Select(async i =>
        {
            var (creator, follower) = i % 2 == 0 ? (_one, _other) : (_other, _one);
            var runId = await creator.CreateAsync("streams");
            var live = await follower.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages");
            var late = await creator.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages");
            Assert.Equal("Hello, world", TextOf(live));
            Assert.Equal(live.Select(frame => frame.Data), late.Select(frame => frame.Data));
            Assert.Single(live, frame => JsonElement.Parse(frame.Data).GetProperty("isLast").GetBoolean());
        }));
    }

    [Fact]
    public async Task A_piece_arrives_while_the_model_still_speaks()
    {
        await _one.StoreAsync("speaks", $"[{Client.Node("ask", "core.ai.callPrompt", """{"provider":"local","model":"slow+cluster","prompt":"Say hello"}""")}]");
        var runId = await _one.CreateAsync("speaks");
        using var stream = await _other.SendAsync("GET", $"/v1/runs/{runId}/events?streamMode=messages", headers: ("Accept", "text/event-stream"));
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        var line = "";
        while (!line.StartsWith("data: ", StringComparison.Ordinal))
            line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? throw new InvalidOperationException("The stream ended.");

        Assert.StartsWith("Hello", JsonElement.Parse(line[6..]).GetProperty("chunk").GetString(), StringComparison.Ordinal);
        Assert.Equal("running", (await _one.GetAsync($"/v1/runs/{runId}")).GetProperty("status").GetString());
        fixture.Models.Release();
        await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await _other.UntilAsync(runId, "completed");
    }

    [Fact]
    public async Task What_one_run_remembers_is_there_for_all_others()
    {
        await _one.StoreAsync("remembers", $"[{Client.Node("write", "core.memory.write", """{"memoryRef":"team/cluster","content":"the sky is blue","tags":["fact"]}""")}]");
        await _one.StoreAsync("recalls", $"[{Client.Node("read", "core.memory.read", """{"memoryRef":"team/cluster","tag":"fact"}""")}]");
        var written = await Task.WhenAll(Enumerable.Range(0, Runs).Select(i => (i % 2 == 0 ? _one : _other).CreateAsync("remembers")));
        foreach (var runId in written)
            await _other.UntilAsync(runId, "completed");

        await Task.WhenAll(Enumerable.Range(0, Runs).Select(async i =>
        {
            var (creator, reader) = i % 2 == 0 ? (_one, _other) : (_other, _one);
            var runId = await creator.CreateAsync("recalls");
            await reader.UntilAsync(runId, "completed");
            var entries = (await reader.GetAsync($"/v1/runs/{runId}")).GetProperty("nodeStates").GetProperty("read").GetProperty("outputs").GetProperty("entries");
            Assert.Equal(Runs, entries.GetArrayLength());
            Assert.All(entries.EnumerateArray(), entry => Assert.Equal("the sky is blue", entry.GetProperty("content").GetString()));
        }));

        using var stranger = new Client(fixture.Installation.OtherUrl, Installation.OtherTenantKey);
        await stranger.StoreAsync("recalls-too", $"[{Client.Node("read", "core.memory.read", """{"memoryRef":"team/cluster"}""")}]");
        var foreign = await stranger.CreateAsync("recalls-too");
        await stranger.UntilAsync(foreign, "completed");
        Assert.Equal(0, (await stranger.GetAsync($"/v1/runs/{foreign}")).GetProperty("nodeStates").GetProperty("read").GetProperty("outputs").GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task A_secret_that_one_gateway_has_stored_reaches_the_provider_from_every_engine_and_nothing_else()
    {
        using (var stored = await _one.SendAsync("PUT", "/v1/secrets/cluster-key", JsonSerializer.Serialize(new { value = Canary })))
            Assert.Equal(201, (int)stored.StatusCode);

        await _other.StoreAsync("keyed", $"[{Client.Node("ask", "core.ai.callPrompt", """{"provider":"anthropic","model":"leaky+cluster","prompt":"Tell me"}""")}]");
        foreach (var client in Enumerable.Repeat(new[] { _one, _other }, Runs / 2).SelectMany(pair => pair))
        {
            using var created = await client.SendAsync("POST", "/v1/runs", """{"workflowId":"keyed","configurable":{"ai":{"credentialRef":"cluster-key"}}}""");
            var runId = JsonElement.Parse(await created.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;
            await client.UntilAsync(runId, "completed");
            Assert.DoesNotContain("CANARY", (await client.GetAsync($"/v1/runs/{runId}/debug-bundle")).GetRawText(), StringComparison.Ordinal);
        }

        Assert.Equal(Runs, fixture.Models.Of("leaky+cluster").Count(request => request.Key == Canary));
        Assert.All(fixture.Installation.Outputs, output => Assert.DoesNotContain("CANARY", output, StringComparison.Ordinal));
    }

    private static string TextOf(IEnumerable<(string Event, string? Id, string Data)> frames) =>
        string.Concat(frames.Select(frame => JsonElement.Parse(frame.Data).GetProperty("chunk").GetString()));
}
