using System.Diagnostics;

namespace OpenWop.Micro.Testing;

/// <summary>Runs the pieces in <c>tests/Grpc/node</c>; installs their packages when that has not happened yet.</summary>
public static class NodeTools
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly string Folder = FindFolder();
    private static readonly Lazy<Task> Installed = new(InstallAsync);

    /// <summary>Starts a script. The caller owns the process.</summary>
    public static async Task<Process> StartAsync(string script, params string[] arguments)
    {
        await Installed.Value;
        return Start("node", [script, .. arguments]);
    }

    /// <summary>Runs a script to its end and returns the lines that it printed.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(string script, params string[] arguments)
    {
        using var process = await StartAsync(script, arguments);
        return await FinishAsync(process, script);
    }

    private static async Task InstallAsync()
    {
        // Written by npm at the end of an installation.
        if (File.Exists(Path.Combine(Folder, "node_modules", ".package-lock.json")))
            return;

        using var process = Start("npm", ["ci", "--no-audit", "--no-fund"]);
        await FinishAsync(process, "npm ci");
    }

    private static Process Start(string file, string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"The tests with a gRPC client of another make need Node.js 20 or newer: '{file}' cannot be started ({missing.Message}).", missing);
        }
    }

    private static async Task<IReadOnlyList<string>> FinishAsync(Process process, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"'{what}' in {Folder} failed with exit code {process.ExitCode}:\n{await errors}\n{await output}");

            return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "Grpc", "node");
            if (File.Exists(Path.Combine(candidate, "package.json")))
                return candidate;
        }

        throw new InvalidOperationException($"No tests/Grpc/node above {AppContext.BaseDirectory}.");
    }
}
