using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.Cli.Tests.Readme;

/// <summary>
/// A shell in an empty folder, in which the commands of the tour run as they are written but for the port and the number of the server's
/// process; and the first terminal, in which <c>openwop up</c> goes on running.
/// </summary>
internal sealed class TourSession : IAsyncDisposable
{
    private const string ShownServer = "127.0.0.1:8080";
    private const string ShownFolder = "/home/ada";
    private const string End = "<<<end>>>";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Tool _tool = new();
    private readonly int _port = ToolTests.FreePort();
    private readonly Process _shell;
    private readonly List<Process> _servers = [];
    private string _serverId = "";

    public TourSession()
    {
        Directory.CreateSymbolicLink(Path.Combine(_tool.Folder, "examples"), Path.Combine(Tool.Root(), "examples"));
        _shell = _tool.StartProgram("bash");
        _shell.StandardInput.WriteLine($$"""openwop() { dotnet '{{Tool.ProgramPath()}}' "$@"; }""");
    }

    /// <summary>Runs a command and returns what a terminal would show.</summary>
    public async Task<string> RunAsync(string command)
    {
        var output = command.StartsWith("openwop up", StringComparison.Ordinal) ? await UpAsync(command) : await TypeAsync(command);
        return output
            .Replace($"127.0.0.1:{_port}", ShownServer, StringComparison.Ordinal)
            .Replace(_tool.Folder, ShownFolder, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
        foreach (var server in _servers)
        {
            if (!server.HasExited)
                await RunningServer.TerminateAsync(server);
            server.Dispose();
        }

        _tool.Dispose();
    }

    private async Task<string> TypeAsync(string command)
    {
        command = command.Replace(ShownServer, $"127.0.0.1:{_port}", StringComparison.Ordinal);
        if (command.StartsWith("kill -9 ", StringComparison.Ordinal))
            command = "kill -9 " + _serverId;

        await _shell.StandardInput.WriteLineAsync($"{{ {command}\n}} 2>&1; echo; echo '{End}'");
        await _shell.StandardInput.FlushAsync();
        return await ReadAsync(_shell.StandardOutput, line => line == End);
    }

    private async Task<string> UpAsync(string command)
    {
        var port = _port.ToString(CultureInfo.InvariantCulture);
        var server = _tool.Start([.. command.Split(' ').Skip(1), "--port", port]);
        _servers.Add(server);

        // Facts come on standard output and the remark after them on standard error.
        var facts = await ReadAsync(server.StandardOutput, line => line.StartsWith("process", StringComparison.Ordinal), isShown: true);
        _serverId = Regex.Match(facts, @"process\s+(\d+)").Groups[1].Value;
        return facts + "\n" + await ReadAsync(server.StandardError, line => line.StartsWith("Ready.", StringComparison.Ordinal), isShown: true);
    }

    private static async Task<string> ReadAsync(StreamReader from, Func<string, bool> isLast, bool isShown = false)
    {
        using var limit = new CancellationTokenSource(Limit);
        var text = new StringBuilder();
        while (await from.ReadLineAsync(limit.Token) is { } line)
        {
            if (isLast(line))
                return isShown ? text.Append(line).ToString() : text.ToString();

            text.Append(line).Append('\n');
        }

        throw new InvalidOperationException($"It ended too early:\n{text}");
    }
}
