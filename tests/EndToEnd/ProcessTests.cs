using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>How a process begins, is limited, and ends.</summary>
public sealed class ProcessTests
{
    [Theory]
    [InlineData(Form.Embedded)]
    [InlineData(Form.Separate)]
    public async Task A_request_to_stop_ends_streams_and_the_process_in_time(Form form)
    {
        await using var installation = await Installation.StartAsync(form);
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync("wait", $"[{Client.Node("a", "core.delay", """{"delayMs":60000}""")}]");
        var runId = await client.CreateAsync("wait");
        using var stream = await client.SendAsync("GET", $"/v1/runs/{runId}/events");
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Equal("id: 0", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        var poll = client.SendAsync("GET", $"/v1/runs/{runId}/events/poll?lastSequence=9&timeout=60");

        var (exitCode, elapsed) = await installation.PublicProcess.TerminateAsync();
        Assert.Equal(0, exitCode);
        Assert.InRange(elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Contains("run.started", await reader.ReadToEndAsync());
        using var answer = await poll;
        Assert.Contains((int)answer.StatusCode, new[] { 200, 503 });
    }

    [Fact]
    public async Task What_was_acknowledged_survives_a_crash_and_is_replayed()
    {
        await using var before = await Installation.StartAsync(Form.Embedded);
        string body;
        using (var client = new Client(before.BaseUrl))
        {
            await client.StoreAsync("durable", $"[{Client.Node("a", "core.noop")}]");
            using var created = await client.SendAsync("POST", "/v1/runs", """{"workflowId":"durable"}""", ("Idempotency-Key", "k"));
            body = await created.Content.ReadAsStringAsync();
        }

        await using var after = await before.RestartAfterCrashAsync(Form.Embedded);
        using (var client = new Client(after.BaseUrl))
        {
            using var replayed = await client.SendAsync("POST", "/v1/runs", """{"workflowId":"durable"}""", ("Idempotency-Key", "k"));
            Assert.Equal("true", replayed.Headers.GetValues("openwop-Idempotent-Replay").Single());
            Assert.Equal(body, await replayed.Content.ReadAsStringAsync());
            await client.UntilAsync(JsonElement.Parse(body).GetProperty("runId").GetString()!, "completed");
        }
    }

    [Fact]
    public async Task A_key_that_calls_too_often_is_told_when_to_come_back()
    {
        await using var installation = await Installation.StartAsync(Form.Embedded, ("OPENWOP_RATELIMIT_PER_MINUTE", "3"));
        using var client = new Client(installation.BaseUrl);
        for (var i = 0; i < 3; i++)
            await (await client.SendAsync("GET", "/v1/runs/none")).IsErrorAsync(404, "not_found");

        var refused = await client.SendAsync("GET", "/v1/runs/none");
        Assert.InRange(int.Parse(refused.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture), 1, 20);
        await refused.IsErrorAsync(429, "rate_limited");
        await client.GetAsync("/.well-known/openwop");
    }

    [Fact]
    public async Task While_a_service_is_away_clients_are_told_so_and_afterwards_all_is_well()
    {
        await using var installation = await Installation.StartAsync(Form.Separate);
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync("back", $"[{Client.Node("a", "core.delay", """{"delayMs":2000}""")}]");
        var runId = await client.CreateAsync("back", ("Idempotency-Key", "k"));
        using var stream = await client.SendAsync("GET", $"/v1/runs/{runId}/events");

        var startAgain = await installation.CrashAsync("runs");
        await Assert.ThrowsAnyAsync<Exception>(() => stream.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        var refused = await client.SendAsync("GET", "/v1/runs/" + runId);
        Assert.NotEmpty(refused.Headers.GetValues("Retry-After").Single());
        await refused.IsErrorAsync(503, "service_unavailable");
        await client.GetAsync("/.well-known/openwop");

        await startAgain();
        await Eventually.TrueAsync(async () => (await client.SendAsync("GET", "/v1/runs/" + runId)).IsSuccessStatusCode);
        Assert.Equal(runId, await client.CreateAsync("back", ("Idempotency-Key", "k")));
        await client.UntilAsync(runId, "completed");
    }

    [Fact]
    public async Task Without_any_key_the_server_starts_and_lets_nobody_in()
    {
        using var folder = new TempFolder();
        await using var process = await ServiceProcess.StartAsync("standalone", "OpenWop.Micro.Standalone", ["--urls", "http://127.0.0.1:0", "--data", folder.Path], []);
        using var client = new Client(process.Address, "hk_test_anything-at-all");
        await (await client.SendAsync("GET", "/v1/runs/none")).IsErrorAsync(401, "unauthenticated");
        await client.GetAsync("/.well-known/openwop");
        Assert.Single(process.Output.Split('\n'), line => line.Contains("OPENWOP_API_KEY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_demo_runs_its_workflow_and_keeps_serving()
    {
        await using var process = await ServiceProcess.StartAsync("standalone", "OpenWop.Micro.Standalone", ["--demo", "--OPENWOP_LOG_LEVEL=Information"], []);
        await Eventually.TrueAsync(() => process.Output.Contains("Ctrl-C ends the demo", StringComparison.Ordinal));
        Assert.Contains("node.retried", process.Output);
        Assert.Contains("Status completed", process.Output);
        using var http = new HttpClient();
        Assert.Equal("ok", JsonElement.Parse(await http.GetStringAsync(new Uri(process.Address, "/healthz"))).GetProperty("status").GetString());
        Assert.Equal(0, (await process.TerminateAsync()).ExitCode);
    }
}
