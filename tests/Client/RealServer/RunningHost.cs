using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Client.Tests.RealServer;

/// <summary>The embedded host as a process of its own, and a client with a key for everything.</summary>
public sealed class RunningHost : IAsyncLifetime
{
    public const string BootstrapToken = "a-bootstrap-token-for-the-client";

    private Installation? _installation;

    public OpenWopClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _installation = await Installation.StartAsync(
            Form.Embedded,
            ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"), ("OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS", "1"), ("OPENWOP_BOOTSTRAP_TOKEN", BootstrapToken));
        Client = As(Installation.LiveKey);
    }

    public async Task DisposeAsync()
    {
        Client?.Dispose();
        if (_installation is not null)
            await _installation.DisposeAsync();
    }

    /// <summary>A client in somebody's name; null = nobody's.</summary>
    public OpenWopClient As(string? key) => new(new OpenWopOptions { BaseAddress = _installation!.BaseUrl, ApiKey = key });

    /// <summary>Makes a workflow by operations that all have to apply.</summary>
    public async Task<string> AuthorAsync(string operations)
    {
        var made = await Client.Workflows.CreateAsync();
        var patched = await Client.Workflows.PatchAsync(made.Id, made.Version, JsonElement.Parse(operations));
        Assert.True(patched.Ok, patched.Summary);
        return made.Id;
    }

    /// <summary>Makes a workflow that greets.</summary>
    public Task<string> GreetingAsync() => AuthorAsync("""
        [{"operation_type":"add","block_id":"start","type":"trigger_webhook"},
         {"operation_type":"add","block_id":"hello","type":"transform","params":{"template":"Hello, {{trigger.name}}!"}},
         {"operation_type":"connect","block_id":"start","target_block_id":"hello"}]
        """);

    /// <summary>Makes a workflow that waits for an approval at <c>ask</c>.</summary>
    public Task<string> ApprovalAsync() => AuthorAsync("""[{"operation_type":"add","block_id":"ask","type":"human_approval","params":{"prompt":"Ship?"}}]""");

    public Task UntilAsync(string runId, string status) =>
        Eventually.TrueAsync(async () => (await Client.Runs.GetAsync(runId)).Status == status, $"the run is {status}");
}

[CollectionDefinition(Name)]
public sealed class WithHost : ICollectionFixture<RunningHost>
{
    public const string Name = "host";
}
