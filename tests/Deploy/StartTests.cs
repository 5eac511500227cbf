using System.Diagnostics;
using System.Globalization;
using Npgsql;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Deploy.Tests;

/// <summary>
/// Every service starts with exactly the arguments and the environment of its manifest, through the entry point of the image, as the role
/// that the shipped SQL has made for it. Only host names and ports are those of this machine.
/// </summary>
public sealed class StartTests
{
    [Fact]
    public async Task Services_start_as_their_manifests_say_and_own_nothing_but_their_schema()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "openwop-deploy-" + Guid.NewGuid().ToString("N")[..8])).FullName;
        await using var redis = await RedisServer.StartAsync();
        var postgres = await PostgreSql.CreateAsync(Path.Combine(folder, "postgres"));
        var ports = Manifest.All.ToDictionary(manifest => manifest.Name, _ => LocalPort(), StringComparer.Ordinal);
        var started = new List<Member>();
        try
        {
            // Twice: the script may be run again.
            await RunRolesAsync(postgres);
            await RunRolesAsync(postgres);

            var image = LayOut(folder);
            foreach (var manifest in Manifest.All)
            {
                var environment = manifest.Environment("127.0.0.1").ToDictionary(
                    entry => entry.Key, entry => Localize(entry.Key, entry.Value, manifest, ports, postgres, redis, folder), StringComparer.Ordinal);
                var member = new Member
                {
                    Name = manifest.Name,
                    Service = manifest.Name,
                    Url = $"http://127.0.0.1:{ports[manifest.Name]}",
                    Log = Path.Combine(folder, manifest.Name + ".log"),
                    Command = [Path.Combine(image, "run"), .. manifest.Arguments],
                    Environment = environment,
                };
                started.Add(member.Start());
            }

            // In any order: who needs another one waits for it.
            foreach (var (manifest, member) in Manifest.All.Join(started, manifest => manifest.Name, member => member.Name, ValueTuple.Create))
            {
                foreach (var probe in new[] { "startupProbe", "livenessProbe", "readinessProbe" })
                    await AnswersAsync(member, manifest.Container.Text(probe, "httpGet", "path")!);

                Assert.Equal(0, await RunAsync(Path.Combine(image, "run"), ["health"], new() { ["ASPNETCORE_HTTP_PORTS"] = member.Environment["ASPNETCORE_HTTP_PORTS"] }));
            }

            await RolesAreLimitedAsync(postgres);
            foreach (var member in started)
            {
                await member.SignalAsync("TERM");
                await Eventually.TrueAsync(() => !member.IsAlive, $"{member.Name} ends");
            }
        }
        finally
        {
            foreach (var member in started)
                await member.KillAsync();
            await postgres.StopAsync("immediate");
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The folder that the image has, from the built programs.</summary>
    private static string LayOut(string folder)
    {
        var image = Directory.CreateDirectory(Path.Combine(folder, "app")).FullName;
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        foreach (var service in Repository.Services)
            Directory.CreateSymbolicLink(Path.Combine(image, service), Path.Combine(Repository.Root, "services", service, "bin", output.Parent!.Name, output.Name));

        var run = Path.Combine(image, "run");
        File.Copy(Path.Combine(Repository.Root, "deploy", "run"), run);
        return image;
    }

    private static string Localize(
        string name, string value, Manifest manifest, Dictionary<string, int> ports, PostgreSql postgres, RedisServer redis, string folder) => name switch
        {
            "ASPNETCORE_HTTP_PORTS" => ports[manifest.Name].ToString(CultureInfo.InvariantCulture),
            "OPENWOP_DATA" => Directory.CreateDirectory(Path.Combine(folder, "data", manifest.Name)).FullName,
            "OPENWOP_REDIS" => redis.ConnectionString,
            "OPENWOP_POSTGRES" => value.Replace("Host=postgres", string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={postgres.Port}"), StringComparison.Ordinal),
            "OPENWOP_ADVERTISED_URL" => value.Replace(":8080", ":" + ports[manifest.Name], StringComparison.Ordinal),
            _ when value.StartsWith("dns:///", StringComparison.Ordinal) => $"http://127.0.0.1:{ports[value["dns:///".Length..].Split(':')[0]]}",
            _ => value,
        };

    private static async Task AnswersAsync(Member member, string path)
    {
        using var client = new HttpClient();
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.True(member.IsAlive, $"{member.Name} has ended:\n{(File.Exists(member.Log) ? await File.ReadAllTextAsync(member.Log) : "")}");
                try
                {
                    using var response = await client.GetAsync(new Uri(member.Url + path));
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            $"{member.Name} answers {path}");
    }

    private static async Task RolesAreLimitedAsync(PostgreSql postgres)
    {
        await RefusedAsync(postgres, "openwop_runs", "SELECT count(*) FROM identity.api_keys");
        await RefusedAsync(postgres, "openwop_identity", "SELECT count(*) FROM runs.runs");
        await RefusedAsync(postgres, "openwop_workflows", "CREATE SCHEMA mine");
        await RefusedAsync(postgres, "openwop_workflows", "CREATE TABLE public.mine (a int)");
        await RefusedAsync(postgres, "openwop_runs", "CREATE ROLE mine");
    }

    private static async Task RefusedAsync(PostgreSql postgres, string role, string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Username = role, Pooling = false }.ConnectionString);
        await using var command = source.CreateCommand(sql);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    private static async Task RunRolesAsync(PostgreSql postgres) => Assert.Equal(0, await RunAsync(
        "psql",
        ["-q", "-h", "127.0.0.1", "-p", postgres.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", "openwop", "-f", Path.Combine(Repository.Root, "deploy", "sql", "roles.sql")],
        Manifest.All.ToDictionary(manifest => $"OPENWOP_{manifest.Name.ToUpperInvariant()}_PASSWORD", _ => "for-development-only")));

    private static async Task<int> RunAsync(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static int LocalPort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
