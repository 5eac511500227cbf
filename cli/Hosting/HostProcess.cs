using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.Cli.Hosting;

/// <summary>The server as a process of its own, whose log goes to a file and which ends with the tool.</summary>
internal sealed partial class HostProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan TimeToStart = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan TimeToDrain = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly string _logFile;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _reason;

    private HostProcess(Process process, StreamWriter log, string logFile)
    {
        _process = process;
        _log = log;
        _logFile = logFile;
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => _address.Task.Result;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Starts the server and waits until it listens.</summary>
    /// <param name="program">The server's assembly.</param>
    /// <param name="logFile">What the server says is added to it: another one may be running, and writing there.</param>
    /// <exception cref="CliException">The server has ended instead; says why.</exception>
    public static async Task<HostProcess> StartAsync(
        string program, Uri url, string dataDirectory, string logFile, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(DotNet()) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in new[] { program, "--urls", url.AbsoluteUri.TrimEnd('/'), "--data", dataDirectory })
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        var host = new HostProcess(new Process { StartInfo = start }, new StreamWriter(logFile, options) { AutoFlush = true }, logFile);
        try
        {
            host._process.Start();
            host._process.StandardInput.Close();
            host._process.BeginOutputReadLine();
            host._process.BeginErrorReadLine();
            await Task.WhenAny(host._address.Task, host.WaitForExitAsync(cancellationToken)).WaitAsync(TimeToStart, cancellationToken);
            return host._address.Task.IsCompleted ? host : throw host.Ended();
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>The server has ended by itself, and why, as far as it has said.</summary>
    public CliException Ended() => new(ExitCodes.Failed, (_reason is null ? $"The server has ended with code {ExitCode}." : $"The server has ended: {_reason}") + $" See {_logFile}.");

    /// <summary>Waits for the end, and for all that the server says before it.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>Asks the server to end, and ends it when it takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
            {
                if (OperatingSystem.IsWindows() || Kill(_process.Id, SigTerm) != 0)
                    _process.Kill();

                using var limit = new CancellationTokenSource(TimeToDrain);
                try
                {
                    await _process.WaitForExitAsync(limit.Token);
                }
                catch (OperationCanceledException)
                {
                    _process.Kill();
                    await _process.WaitForExitAsync(CancellationToken.None);
                }
            }
        }
        catch (InvalidOperationException)
        {
            // Never started.
        }

        _process.Dispose();
        lock (_gate)
            _log.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null)
            return;

        lock (_gate)
        {
            if (_log.BaseStream is { CanWrite: true })
                _log.WriteLine(line);
        }

        if (Unhandled().Match(line) is { Success: true } unhandled)
            _reason ??= unhandled.Groups[1].Value;
        if (Listening().Match(line) is { Success: true } match)
            _address.TrySetResult(new Uri(match.Groups[1].Value));
    }

    private static string DotNet() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    [GeneratedRegex("Now listening on: (http://[^\"\\s]+)")]
    private static partial Regex Listening();

    /// <summary>How the runtime begins to tell what a process dies of: the type, and the message.</summary>
    [GeneratedRegex(@"^Unhandled exception\. [\w.]+: (.+)$")]
    private static partial Regex Unhandled();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
