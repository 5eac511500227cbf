using System.Diagnostics;

namespace OpenWop.Micro.Testing;

/// <summary>A real Redis server of its own on a Unix socket. Needs the Debian package <c>redis-server</c>.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private Process? _process;

    private RedisServer()
    {
    }

    /// <summary>For StackExchange.Redis.</summary>
    public string ConnectionString => "!" + Socket;

    private string Socket => _folder.File("redis.sock");

    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer();
        try
        {
            await server.StartServerAsync().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Kills the server.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;

        _process = null;
        process.Kill();
        await process.WaitForExitAsync().ConfigureAwait(false);
        process.Dispose();
        File.Delete(Socket);
    }

    public async Task StartServerAsync()
    {
        _process = Process.Start(new ProcessStartInfo(
            "redis-server",
            ["--port", "0", "--unixsocket", Socket, "--save", "", "--appendonly", "no", "--dir", _folder.Path, "--logfile", _folder.File("redis.log")]))
            ?? throw new InvalidOperationException("Redis is not installed: apt-get install redis-server");
        await Eventually.TrueAsync(() => File.Exists(Socket)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _folder.Dispose();
    }
}
