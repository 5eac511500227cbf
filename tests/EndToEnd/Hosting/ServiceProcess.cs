using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>One program of the product in a process of its own, on a free port.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _assembly;
    private readonly string[] _arguments;
    private readonly KeyValuePair<string, string>[] _environment;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(string project, string assembly, string[] arguments, KeyValuePair<string, string>[] environment, Process process)
    {
        Project = project;
        _assembly = assembly;
        _arguments = arguments;
        _environment = environment;
        _process = process;
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException($"{project} ended: {Output}"));
    }

    /// <summary>Folder below <c>services</c>.</summary>
    public string Project { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address => _address.Task.Result;

    /// <summary>Everything that it has written so far.</summary>
    public string Output => string.Join('\n', _output);

    public int Id => _process.Id;

    /// <summary>Starts a program and waits until it listens.</summary>
    /// <param name="project">Folder below <c>services</c>.</param>
    /// <param name="assembly">Name of the program.</param>
    public static Task<ServiceProcess> StartAsync(
        string project, string assembly, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment) =>
        StartAsync(project, assembly, [.. arguments], [.. environment]);

    /// <summary>The same program with the same data, at the address where it was.</summary>
    public Task<ServiceProcess> StartAgainAsync() =>
        StartAsync(Project, _assembly, [.. _arguments, "--urls", Address.ToString()], _environment);

    private static async Task<ServiceProcess> StartAsync(
        string project, string assembly, string[] arguments, KeyValuePair<string, string>[] environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(ProgramPath(project, assembly));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OPENWOP_", StringComparison.Ordinal) || name.StartsWith("OTEL_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var process = new ServiceProcess(project, assembly, arguments, environment, new Process { StartInfo = start, EnableRaisingEvents = true });
        process._process.Start();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        try
        {
            await process._address.Task.WaitAsync(StartLimit);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <returns>The exit code, and how long it took.</returns>
    public async Task<(int ExitCode, TimeSpan Elapsed)> TerminateAsync()
    {
        await SendTerminateAsync(_process.Id);
        var started = Stopwatch.GetTimestamp();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Ends the process without any warning, as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private static string ProgramPath(string project, string assembly)
    {
        // …/tests/EndToEnd/bin/<configuration>/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var root = output;
        while (!File.Exists(Path.Combine(root.FullName, "OpenWop.Micro.sln")))
            root = root.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return Path.Combine(root.FullName, "services", project, "bin", output.Parent!.Name, output.Name, assembly + ".dll");
    }

    private void Read(string? line)
    {
        if (line is null)
            return;

        _output.Enqueue($"{Project}: {line}");
        if (Listening().Match(line) is { Success: true } match)
            _address.TrySetResult(new Uri(match.Groups[1].Value));
    }

    [GeneratedRegex("Now listening on: (http://[^\"\\s]+)")]
    private static partial Regex Listening();

    private static async Task SendTerminateAsync(int processId)
    {
        using var kill = Process.Start("kill", ["-TERM", processId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
