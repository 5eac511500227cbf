using System.Diagnostics;
using System.Text.Json;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Cli.Tests;

/// <summary>What a command has said, and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonElement.Parse(Output);

    /// <summary>Documents on lines of their own.</summary>
    public IReadOnlyList<JsonElement> Lines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    public Outcome Expecting(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"ended with {ExitCode}\n{Output}\n{Error}");
        return this;
    }
}

/// <summary>The real tool in processes of its own, with a folder for its credentials.</summary>
internal sealed class Tool : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new();

    public string Folder => _folder.Path;

    public string CredentialFile => Path.Combine(_folder.Path, "config", "credentials.json");

    public Task<Outcome> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public async Task<Outcome> RunWithInputAsync(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"'{string.Join(' ', arguments)}' did not end.");
        }

        return new Outcome(process.ExitCode, await output, await error);
    }

    /// <param name="settings">More environment, which <c>up</c> hands on to the server.</param>
    public Process Start(string[] arguments, params (string Name, string Value)[] settings) => Start("dotnet", [ProgramPath(), .. arguments], settings);

    /// <summary>Another program in the same folder and environment.</summary>
    public Process StartProgram(string program, params string[] arguments) => Start(program, arguments, [("TERM", "xterm")]);

    private Process Start(string program, string[] arguments, (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OPENWOP_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["OPENWOP_CREDENTIALS"] = CredentialFile;
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public string WriteFile(string name, string content)
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The folder of the repository.</summary>
    public static string Root()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "OpenWop.Micro.sln")))
            root = root.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return root.FullName;
    }

    public static string ProgramPath()
    {
        // …/tests/Cli/bin/<configuration>/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Root(), "cli", "bin", output.Parent!.Name, output.Name, "openwop.dll");
    }
}
