using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace OpenWop.Micro.ClusterTool;

/// <summary>
/// An installation of many processes on this machine, on PostgreSQL and Redis: what it consists of is in a file, so that one call can start
/// it and another one kill a process of it.
/// </summary>
public sealed class LocalCluster
{
    /// <summary>A key with all scopes.</summary>
    public const string Key = "hk_test_cluster-all-scopes-0001";

    /// <summary>A key of the same tenant that may only read runs.</summary>
    public const string ReaderKey = "hk_test_cluster-reads-runs-00001";

    /// <summary>A key of another tenant with all scopes.</summary>
    public const string OtherTenantKey = "hk_test_cluster-other-tenant-0001";

    private const string Redis = "redis";
    private const string StateFile = "cluster.json";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true };

    private readonly string _folder;
    private readonly Dictionary<string, Member> _members;

    private LocalCluster(string folder, PostgreSql postgres, IEnumerable<Member> members)
    {
        _folder = folder;
        Postgres = postgres;
        _members = members.ToDictionary(member => member.Name, StringComparer.Ordinal);
    }

    public PostgreSql Postgres { get; }

    public IReadOnlyCollection<Member> Members => _members.Values;

    public Member this[string name] =>
        _members.TryGetValue(name, out var member) ? member : throw new ArgumentException($"There is no '{name}'; there are {string.Join(", ", _members.Keys)}.", nameof(name));

    /// <summary>The processes of a service.</summary>
    public IReadOnlyList<Member> Of(string service) => [.. Members.Where(member => member.Service == service)];

    /// <summary>Starts everything, and returns when all of it is ready.</summary>
    public static async Task<LocalCluster> UpAsync(ClusterOptions options)
    {
        var folder = Directory.CreateDirectory(options.Folder).FullName;
        if (Directory.EnumerateFileSystemEntries(folder).Any())
            throw new InvalidOperationException($"{folder} is not empty: is there a cluster already?");

        // Readable for the user of the database server.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var redis = Task.Run(() => RedisMember(folder).Start());
        var postgres = await PostgreSql.CreateAsync(Path.Combine(folder, "postgres"));
        var cluster = new LocalCluster(folder, postgres, [await redis, .. Plan.Of(options, folder, postgres, (await redis).Url)]);
        try
        {
            cluster.Save();
            foreach (var wave in cluster.Members.Where(member => member.Service != Redis).GroupBy(member => member.Service == "identity").OrderByDescending(wave => wave.Key))
            {
                foreach (var member in wave.ToList())
                    cluster._members[member.Name] = member.Start();

                cluster.Save();
                await Task.WhenAll(wave.Select(member => cluster.ReadyAsync(member.Name)));
            }

            return cluster;
        }
        catch
        {
            await cluster.DownAsync();
            throw;
        }
    }

    /// <summary>The cluster that another process has started.</summary>
    public static LocalCluster Open(string folder)
    {
        var path = Path.Combine(folder, StateFile);
        var state = File.Exists(path)
            ? JsonSerializer.Deserialize<State>(File.ReadAllText(path), Format)!
            : throw new InvalidOperationException($"There is no cluster in {folder}.");
        return new LocalCluster(folder, state.Postgres, state.Members);
    }

    /// <summary>Starts a process that is not running, as it was started first. With settings: some of its environment replaced.</summary>
    public async Task RestartAsync(string name, params (string Name, string Value)[] settings)
    {
        var member = this[name];
        await member.KillAsync();
        var environment = member.Environment.ToDictionary(StringComparer.Ordinal);
        foreach (var (setting, value) in settings)
            environment[setting] = value;

        _members[name] = (member with { Environment = environment }).Start();
        Save();
        await ReadyAsync(name);
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    public async Task TerminateAsync(string name)
    {
        var member = this[name];
        await member.SignalAsync("TERM");
        await Wait.UntilAsync(() => !member.IsAlive, $"{name} has ended", TimeSpan.FromSeconds(20));
    }

    /// <summary>Waits until a process says that it should get traffic.</summary>
    public async Task ReadyAsync(string name)
    {
        var member = this[name];
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await Wait.UntilAsync(
            async () =>
            {
                if (!member.IsAlive)
                    throw new InvalidOperationException($"{name} has ended:\n{Tail(member.Log)}");

                return member.Service == Redis ? await AcceptsAsync(member) : await IsReadyAsync(client, member);
            },
            $"{name} is ready",
            StartLimit);
    }

    /// <summary>Ends everything without a warning and removes the folder.</summary>
    public async Task DownAsync()
    {
        await Task.WhenAll(Members.Select(member => member.KillAsync()));
        await Postgres.StopAsync("immediate");
        Directory.Delete(_folder, recursive: true);
    }

    private static Member RedisMember(string folder)
    {
        var port = Ports.Next().ToString(CultureInfo.InvariantCulture);
        return new Member
        {
            Name = Redis,
            Service = Redis,
            Url = "127.0.0.1:" + port,
            Log = Path.Combine(folder, "redis.log"),
            Command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
            Environment = new Dictionary<string, string>(),
        };
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, Member member)
    {
        try
        {
            using var response = await client.GetAsync(new Uri(member.Url + "/readyz"));
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> AcceptsAsync(Member member)
    {
        try
        {
            var colon = member.Url.IndexOf(':', StringComparison.Ordinal);
            using var client = new TcpClient();
            await client.ConnectAsync(member.Url[..colon], int.Parse(member.Url.AsSpan(colon + 1), CultureInfo.InvariantCulture));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Tail(string log) => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(20)) : "";

    private void Save() => File.WriteAllText(Path.Combine(_folder, StateFile), JsonSerializer.Serialize(new State(Postgres, [.. Members]), Format));

    private sealed record State(PostgreSql Postgres, IReadOnlyList<Member> Members);
}
