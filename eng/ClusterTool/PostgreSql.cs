using System.Diagnostics;
using System.Globalization;

namespace OpenWop.Micro.ClusterTool;

/// <summary>A PostgreSQL server of the cluster's own, from the Debian package: fresh data, durability as in production.</summary>
public sealed record PostgreSql(string Folder, int Port)
{
    private const string Database = "openwop";

    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=postgres;Database={Database};Timeout=5;Include Error Detail=false");

    private string[] Connection => ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres"];

    private string Data => Path.Combine(Folder, "data");

    public static async Task<PostgreSql> CreateAsync(string folder)
    {
        var server = new PostgreSql(Directory.CreateDirectory(folder).FullName, Ports.Next());
        if (Environment.IsPrivilegedProcess)
            await Shell.RunAsync("chown", "postgres", server.Folder);

        await ToolAsync("initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C");
        await server.StartAsync();
        await ToolAsync("createdb", [.. server.Connection, Database]);
        return server;
    }

    public Task StartAsync() => ToolAsync(
        "pg_ctl", "-D", Data, "-w", "-l", Path.Combine(Folder, "server.log"), "start",
        "-o", string.Create(CultureInfo.InvariantCulture, $"-p {Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={Folder} -c max_connections=400"));

    /// <param name="mode"><c>fast</c> ends sessions in order, <c>immediate</c> is a crash.</param>
    public Task StopAsync(string mode) => File.Exists(Path.Combine(Data, "postmaster.pid")) ? ToolAsync("pg_ctl", "-D", Data, "stop", "-m", mode) : Task.CompletedTask;

    /// <summary>Runs a statement as superuser.</summary>
    public Task ExecuteAsync(string sql) =>
        ToolAsync("psql", [.. Connection, "-q", "-v", "ON_ERROR_STOP=1", "-d", Database, "-c", sql]);

    /// <summary>Writes one schema into a file, while everything runs.</summary>
    /// <returns>The file.</returns>
    public async Task<string> DumpAsync(string schema)
    {
        var file = Path.Combine(Folder, schema + ".dump");
        await ToolAsync("pg_dump", [.. Connection, "-d", Database, "--schema", schema, "--format=custom", "--file", file]);
        return file;
    }

    /// <summary>Makes a database from such files; returns its connection string.</summary>
    public async Task<string> RestoreAsync(string database, IEnumerable<string> files)
    {
        await ToolAsync("createdb", [.. Connection, database]);
        foreach (var file in files)
            await ToolAsync("pg_restore", [.. Connection, "-d", database, "--exit-on-error", "--no-owner", file]);

        return ConnectionString.Replace("Database=" + Database, "Database=" + database, StringComparison.Ordinal);
    }

    /// <summary>Puts such files in the place of what is there; nobody else may be connected.</summary>
    public async Task RestoreAsync(IEnumerable<string> files)
    {
        foreach (var file in files)
            await ToolAsync("pg_restore", [.. Connection, "-d", Database, "--exit-on-error", "--clean", "--if-exists", "--no-owner", file]);
    }

    /// <summary>Runs a script as superuser.</summary>
    public async Task ExecuteFileAsync(string path)
    {
        // Where the user of the server may read it.
        var copy = Path.Combine(Folder, Path.GetFileName(path));
        File.Copy(path, copy, overwrite: true);
        await ToolAsync("psql", [.. Connection, "-q", "-v", "ON_ERROR_STOP=1", "-d", Database, "-f", copy]);
    }

    /// <summary>Runs a tool quietly, as the user that PostgreSQL insists on.</summary>
    private static Task ToolAsync(string tool, params string[] arguments)
    {
        // Not into a pipe, which the server would keep open.
        var command = string.Join(' ', arguments.Prepend(Path.Combine(Tools(), tool)).Select(part => $"'{part.Replace("'", "'\\''", StringComparison.Ordinal)}'")) + " >/dev/null";
        return Environment.IsPrivilegedProcess
            ? Shell.RunAsync("runuser", "-u", "postgres", "--", "sh", "-c", "cd / && " + command)
            : Shell.RunAsync("sh", "-c", command);
    }

    private static string Tools() =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .Select(version => Path.Combine(version, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "initdb")))
            .Order(StringComparer.Ordinal)
            .LastOrDefault() ?? throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql");
}

internal static class Shell
{
    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)) ?? throw new InvalidOperationException("Cannot start " + program);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
