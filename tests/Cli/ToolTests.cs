using System.Diagnostics;
using System.Text.Json;

namespace OpenWop.Micro.Cli.Tests;

/// <summary>What the tool does without a server, and with one that comes and goes.</summary>
public sealed class ToolTests
{
    [Theory]
    [InlineData("bogus")]
    [InlineData("run")]
    [InlineData("runs", "get")]
    [InlineData("members", "invite", "king")]
    [InlineData("whoami", "--server", "nowhere")]
    public async Task A_command_line_that_makes_no_sense_ends_with_2(params string[] arguments)
    {
        using var tool = new Tool();

        (await tool.RunAsync(arguments)).Expecting(2);
    }

    [Fact]
    public async Task Without_a_key_a_command_ends_with_3_and_without_a_server_with_6()
    {
        using var tool = new Tool();

        (await tool.RunAsync("runs", "list", "-s", "http://127.0.0.1:9")).Expecting(3);
        (await tool.RunWithInputAsync("hk_some-key-that-nobody-knows\n", "login", "-s", "http://127.0.0.1:9")).Expecting(6);
        Assert.False(File.Exists(tool.CredentialFile));
    }

    [Fact]
    public async Task Every_command_explains_itself()
    {
        using var tool = new Tool();
        foreach (var command in new[] { "up", "login", "workflows", "run", "runs", "schedules", "webhooks", "keys", "members", "doctor", "completion" })
            Assert.Contains("Usage:", (await tool.RunAsync(command, "--help")).Expecting(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shell_completes_commands()
    {
        using var tool = new Tool();

        var script = (await tool.RunAsync("completion", "bash")).Expecting(0).Output;
        var candidates = (await tool.RunAsync("[suggest:5]", "runs ")).Expecting(0).Output.Split('\n');

        Assert.Contains("complete -o default -F _openwop openwop", script, StringComparison.Ordinal);
        foreach (var (shell, line) in new[] { ("zsh", "compdef _openwop openwop"), ("fish", "complete -c openwop -f"), ("pwsh", "Register-ArgumentCompleter -Native -CommandName openwop") })
            Assert.Contains(line, (await tool.RunAsync("completion", shell)).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Contains("cancel", candidates);
        Assert.Equal("cancel", await CompleteInBashAsync(script, candidates));
    }

    [Fact]
    public async Task Up_stops_its_server_and_finds_data_and_key_again()
    {
        using var tool = new Tool();
        var port = FreePort();

        var first = await UpAsync(tool, port);
        var key = await File.ReadAllTextAsync(tool.CredentialFile);
        await RunningServer.TerminateAsync(first);
        Assert.Equal(0, first.ExitCode);
        (await tool.RunAsync("whoami")).Expecting(6);

        var second = await UpAsync(tool, port);
        (await tool.RunAsync("whoami")).Expecting(0);
        await RunningServer.TerminateAsync(second);
        Assert.Equal(key, await File.ReadAllTextAsync(tool.CredentialFile));
    }

    private static async Task<Process> UpAsync(Tool tool, int port)
    {
        var up = tool.Start(["up", "-p", port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--json"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var line = await up.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException(await up.StandardError.ReadToEndAsync(limit.Token));
        Assert.True(JsonElement.Parse(line).TryGetProperty("server", out _));
        return up;
    }

    /// <summary>Lets bash itself run the script, with a tool that answers with the candidates.</summary>
    private static async Task<string> CompleteInBashAsync(string script, string[] candidates)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var bash = Process.Start(start)!;
        await bash.StandardInput.WriteAsync($$"""
            openwop() { printf '%s\n' {{string.Join(' ', candidates.Select(candidate => $"'{candidate}'"))}}; }
            {{script}}
            COMP_LINE="openwop runs can"; COMP_POINT=16; COMP_WORDS=(openwop runs can); COMP_CWORD=2
            _openwop; echo "${COMPREPLY[*]}"
            """);
        bash.StandardInput.Close();
        return (await bash.StandardOutput.ReadToEndAsync()).Trim();
    }

    internal static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
