using System.Diagnostics;
using System.Globalization;

namespace OpenWop.Micro.ClusterTool;

/// <summary>
/// One process of a cluster. It is known by its id only, because whoever controls it may not be the one who started it.
/// </summary>
public sealed record Member
{
    /// <summary><c>runs-2</c>.</summary>
    public required string Name { get; init; }

    public required string Service { get; init; }

    /// <summary>Where it listens.</summary>
    public required string Url { get; init; }

    /// <summary>The file that it writes its output to.</summary>
    public required string Log { get; init; }

    public required IReadOnlyList<string> Command { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>0 = not started.</summary>
    public int ProcessId { get; init; }

    /// <summary>False once the process is gone.</summary>
    public bool IsAlive => ProcessId != 0 && StateOf(ProcessId) is not (null or 'Z');

    /// <summary>Starts the process on its own, so that it outlives whoever starts it.</summary>
    public Member Start()
    {
        var start = new ProcessStartInfo("setsid") { WorkingDirectory = Path.GetTempPath(), UseShellExecute = false };
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add("-c");

        // exec: the id of the shell becomes that of the program.
        start.ArgumentList.Add("exec \"$@\" >>\"$0\" 2>&1 </dev/null");
        start.ArgumentList.Add(Log);
        foreach (var part in Command)
            start.ArgumentList.Add(part);

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OPENWOP_", StringComparison.Ordinal) || name.StartsWith("OTEL_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;

        using var process = Process.Start(start) ?? throw new InvalidOperationException("Cannot start " + Name);
        return this with { ProcessId = process.Id };
    }

    /// <summary>Sends a signal: <c>KILL</c>, <c>TERM</c>, <c>STOP</c>, <c>CONT</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends the process without a warning, frozen or not.</summary>
    public async Task KillAsync()
    {
        if (!IsAlive)
            return;

        await SignalAsync("KILL");
        await Wait.UntilAsync(() => !IsAlive, $"{Name} is gone", TimeSpan.FromSeconds(10));
    }

    /// <summary>State of a process: R, S, T (stopped), Z (dead, not reaped); null when there is none.</summary>
    private static char? StateOf(int processId)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return null;
        }
    }
}
