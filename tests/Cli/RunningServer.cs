using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Cli.Tests;

/// <summary>A server that <c>openwop up</c> has started, and a tool that is logged in there as its owner; one for all tests of commands.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private Process? _up;

    internal Tool Tool { get; } = new();

    public string Url { get; private set; } = "";

    public async Task InitializeAsync()
    {
        // Receivers of webhooks in tests are on this machine.
        _up = Tool.Start(["up", "--port", "0", "--data", "data", "--name", "Ada", "--json"], ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var line = await _up.StandardOutput.ReadLineAsync(limit.Token)
            ?? throw new InvalidOperationException("The server did not start: " + await _up.StandardError.ReadToEndAsync(limit.Token));
        Url = JsonElement.Parse(line).GetProperty("server").GetString()!.TrimEnd('/');
    }

    public async Task DisposeAsync()
    {
        if (_up is not null)
        {
            if (!_up.HasExited)
                await TerminateAsync(_up);
            _up.Dispose();
        }

        Tool.Dispose();
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    internal static async Task TerminateAsync(Process process)
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await process.WaitForExitAsync(limit.Token);
    }
}

[CollectionDefinition(Name)]
public sealed class WithServer : ICollectionFixture<RunningServer>
{
    public const string Name = "server";
}
