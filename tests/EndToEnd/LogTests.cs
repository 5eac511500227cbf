using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class LoggingInstallation() : InstallationFixture(Form.Embedded)
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
        return [.. _standIns.Settings, ("OPENWOP_LOG_LEVEL", "Debug"), ("OPENWOP_LOG_FORMAT", "json")];
    }
}

/// <summary>What a machine reads of a host: JSON lines, each with the run and the tenant that it is about.</summary>
public sealed class LogTests(LoggingInstallation logging) : IClassFixture<LoggingInstallation>, IDisposable
{
    private const string Canary = "sk-CANARY-openwop-never-anywhere-0013";

    private readonly Client _client = new(logging.Installation.BaseUrl);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Every_line_about_a_run_carries_it_and_its_tenant()
    {
        await _client.StoreAsync("asks", $"[{Client.Node("gate", "core.approvalGate")}]");
        await _client.StoreAsync("hangs", $"[{Client.Node("ask", "core.ai.callPrompt", """{"provider":"local","model":"slow+logged","prompt":"Say hello"}""")}]");
        string called;
        using (var created = await _client.SendAsync("POST", "/v1/runs", """{"workflowId":"asks","callbackUrl":"http://127.0.0.1:9/"}"""))
            called = JsonElement.Parse(await created.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;

        var cancelled = await _client.CreateAsync("hangs");
        await Eventually.TrueAsync(() => logging.Models.Of("slow+logged").Any());
        using (var cancel = await _client.SendAsync("POST", $"/v1/runs/{cancelled}/cancel"))
            Assert.Equal(200, (int)cancel.StatusCode);

        // The attempt hears of its end after the caller has.
        await Eventually.TrueAsync(() => IsAboutNode(called, "gate") && IsAboutNode(cancelled, "ask"), "lines of both nodes");
        foreach (var runId in new[] { called, cancelled })
        {
            Assert.All(About(runId), line => Assert.Contains(ScopesOf(line), scope => Is(scope, "runId", runId) && Is(scope, "tenant", "tenant-a")));
            Assert.All(About(runId), line => Assert.DoesNotContain(ScopesOf(line), scope => scope.TryGetProperty("runId", out var other) && other.GetString() != runId));
        }
    }

    [Fact]
    public async Task Secrets_keys_and_idempotency_keys_stand_in_no_line()
    {
        using (var stored = await _client.SendAsync("PUT", "/v1/secrets/logged-key", JsonSerializer.Serialize(new { value = Canary })))
            Assert.Equal(201, (int)stored.StatusCode);

        foreach (var model in new[] { "locked", "leaky", "down" })
        {
            await _client.StoreAsync("uses-" + model, $"[{Client.Node("ask", "core.ai.callPrompt", $$"""{"provider":"anthropic","model":"{{model}}","prompt":"Say hello"}""")}]");
            using var created = await _client.SendAsync(
                "POST", "/v1/runs", $$"""{"workflowId":"uses-{{model}}","configurable":{"ai":{"credentialRef":"logged-key"} } }""", ("Idempotency-Key", "CANARY-of-the-caller-" + model));
            var runId = JsonElement.Parse(await created.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;
            await _client.UntilAsync(runId, model == "leaky" ? "completed" : "failed");
        }

        var output = logging.Installation.PublicProcess.Output;
        Assert.DoesNotContain("CANARY", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Canary)), output, StringComparison.Ordinal);
        Assert.DoesNotContain(Installation.Key, output, StringComparison.Ordinal);
        Assert.DoesNotContain(StandInServer.OperatorKey, output, StringComparison.Ordinal);
    }

    private bool IsAboutNode(string runId, string nodeId) =>
        About(runId).Any(line => ScopesOf(line).Any(scope => Is(scope, "runId", runId) && Is(scope, "nodeId", nodeId)));

    private static bool Is(JsonElement scope, string name, string value) => scope.TryGetProperty(name, out var found) && found.GetString() == value;

    private static JsonElement[] ScopesOf(JsonElement line) => line.TryGetProperty("Scopes", out var scopes) ? [.. scopes.EnumerateArray()] : [];

    /// <summary>Every line is JSON.</summary>
    private List<JsonElement> About(string runId) =>
    [
        .. logging.Installation.PublicProcess.Output.Split('\n')
            .Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..])
            .Where(line => line.Contains(runId, StringComparison.Ordinal))
            .Select(line => JsonElement.Parse(line)),
    ];
}
