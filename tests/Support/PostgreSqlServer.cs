using System.Diagnostics;

namespace OpenWop.Micro.Testing;

/// <summary>
/// A real PostgreSQL server of its own: fresh cluster in a temporary folder, Unix socket instead of a port, durability as in
/// production. Needs the Debian package <c>postgresql</c>.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly string tools;

    private PostgreSqlServer(string tools) => this.tools = tools;

    /// <summary>Connects as superuser to the database <c>postgres</c>.</summary>
    public string ConnectionString => $"Host={folder.Path};Username=postgres;Database=postgres;Pooling=true";

    private string Data => folder.File("data");

    public static async Task<PostgreSqlServer> StartAsync()
    {
        var server = new PostgreSqlServer(FindTools());
        try
        {
            if (Environment.IsPrivilegedProcess)
                await RunAsync("chown", "postgres", server.folder.Path).ConfigureAwait(false);

            await server.ToolAsync("initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C").ConfigureAwait(false);
            await server.StartServerAsync().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops the server as a crash would and starts it again.</summary>
    public async Task RestartAsync()
    {
        await ToolAsync("pg_ctl", "-D", Data, "stop", "-m", "immediate").ConfigureAwait(false);
        await StartServerAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            await ToolAsync("pg_ctl", "-D", Data, "stop", "-m", "immediate").ConfigureAwait(false);

        folder.Dispose();
    }

    private static string FindTools() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Select(version => Path.Combine(version, "bin"))
                .Where(bin => File.Exists(Path.Combine(bin, "initdb")))
                .Order(StringComparer.Ordinal)
                .LastOrDefault() ?? throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql")
            : throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql");

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // Output goes to /dev/null or the server's log: an inherited pipe would stay open as long as the server runs.
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = false, RedirectStandardOutput = false })
            ?? throw new InvalidOperationException("Cannot start " + program);
        await process.WaitForExitAsync().ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    private Task StartServerAsync() => ToolAsync(
        "pg_ctl", "-D", Data, "-w", "-l", Path.Combine(folder.Path, "server.log"), "start",
        "-o", $"-c listen_addresses= -c unix_socket_directories={folder.Path} -c max_connections=200");

    /// <summary>Runs a tool quietly, as the user that PostgreSQL insists on.</summary>
    private Task ToolAsync(string tool, params string[] arguments)
    {
        var command = string.Join(' ', arguments.Prepend(Path.Combine(tools, tool)).Select(part => $"'{part}'")) + " >/dev/null";
        return Environment.IsPrivilegedProcess
            ? RunAsync("runuser", "-u", "postgres", "--", "sh", "-c", "cd / && " + command)
            : RunAsync("sh", "-c", command);
    }
}
