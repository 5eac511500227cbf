using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>How the services are put into processes.</summary>
public enum Form
{
    /// <summary>All in one.</summary>
    Embedded,

    /// <summary>Each in its own.</summary>
    Separate,

    /// <summary>Each in its own, the engine and the gateway in two; needs a database server.</summary>
    Replicated,
}

/// <summary>A running installation with temporary data.</summary>
public sealed class Installation : IAsyncDisposable
{
    /// <summary>A key of tenant-a with all scopes.</summary>
    public const string Key = "hk_test_tenant-a-all-scopes";

    /// <summary>A key of tenant-a that may only read runs.</summary>
    public const string ReaderKey = "hk_test_tenant-a-reads-runs";

    /// <summary>A live key of tenant-a with all scopes.</summary>
    public const string LiveKey = "hk_tenant-a-all-scopes-live";

    /// <summary>A key of tenant-b with all scopes.</summary>
    public const string OtherTenantKey = "hk_test_tenant-b-all-scopes";

    private readonly TempFolder _folder;
    private readonly List<ServiceProcess> _processes = [];

    private Installation(TempFolder folder) => _folder = folder;

    /// <summary>The public address.</summary>
    public Uri BaseUrl => _processes[^1].Address;

    /// <summary>The public address of the other gateway, where there are two.</summary>
    public Uri OtherUrl => _processes[^2].Address;

    /// <summary>What the processes have written so far.</summary>
    internal IEnumerable<string> Outputs => _processes.Select(process => process.Output);

    /// <summary>Where the services keep their files.</summary>
    internal string DataDirectory => Path.Combine(_folder.Path, "data");

    /// <summary>The process that serves the public address.</summary>
    internal ServiceProcess PublicProcess => _processes[^1];

    /// <param name="settings">More environment for every process.</param>
    public static Task<Installation> StartAsync(Form form, params (string Name, string Value)[] settings) => StartAsync(form, new TempFolder(), settings);

    /// <summary>Ends all processes without a warning, and starts again with the same data.</summary>
    public async Task<Installation> RestartAfterCrashAsync(Form form, params (string Name, string Value)[] settings)
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        _processes.Clear();
        return await StartAsync(form, _folder, settings);
    }

    /// <summary>Ends one process without a warning, and returns what starts it again at the same address.</summary>
    /// <param name="project">Folder below <c>services</c>.</param>
    internal async Task<Func<Task>> CrashAsync(string project)
    {
        var index = _processes.FindIndex(process => process.Project == project);
        var crashed = _processes[index];
        await crashed.DisposeAsync();
        return async () => _processes[index] = await crashed.StartAgainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<Installation> StartAsync(Form form, TempFolder folder, (string Name, string Value)[] settings)
    {
        var installation = new Installation(folder);
        try
        {
            var environment = settings.ToDictionary(setting => setting.Name, setting => setting.Value, StringComparer.Ordinal);
            environment.TryAdd("OPENWOP_KEYS_FILE", WriteKeys(folder));
            if (form == Form.Embedded)
                await installation.AddAsync("standalone", "OpenWop.Micro.Standalone", environment);
            else
                await installation.AddSeparateAsync(environment, instances: form == Form.Replicated ? 2 : 1);

            await installation.WaitUntilReadyAsync();
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    /// <summary>One after the other: each is told where the earlier ones are.</summary>
    private async Task AddSeparateAsync(Dictionary<string, string> environment, int instances)
    {
        environment["OPENWOP_SERVICE_SECRET"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        environment["OPENWOP_IDENTITY_URL"] = (await AddAsync("identity", "OpenWop.Micro.Identity", environment)).ToString();
        environment["OPENWOP_WORKFLOWS_URL"] = (await AddAsync("workflows", "OpenWop.Micro.Workflows", environment)).ToString();
        var runs = new List<Uri>();
        for (var i = 0; i < instances; i++)
            runs.Add(await AddAsync("runs", "OpenWop.Micro.Runs", environment));

        environment["OPENWOP_RUNS_URL"] = string.Join(',', runs);
        environment["OPENWOP_SCHEDULER_URL"] = (await AddAsync("scheduler", "OpenWop.Micro.Scheduler", environment)).ToString();
        environment["OPENWOP_WEBHOOKS_URL"] = (await AddAsync("webhooks", "OpenWop.Micro.Webhooks", environment)).ToString();
        for (var i = 0; i < instances; i++)
            await AddAsync("gateway", "OpenWop.Micro.Gateway", environment);
    }

    private async Task<Uri> AddAsync(string project, string assembly, Dictionary<string, string> environment)
    {
        var process = await ServiceProcess.StartAsync(
            project, assembly, ["--urls", "http://127.0.0.1:0", "--data", Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName], environment);
        _processes.Add(process);
        return process.Address;
    }

    private async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient();
        foreach (var process in _processes)
        {
            await Eventually.TrueAsync(async () =>
            {
                using var response = await client.GetAsync(new Uri(process.Address, "/readyz"));
                return response.IsSuccessStatusCode;
            });
        }
    }

    private static string WriteKeys(TempFolder folder)
    {
        var path = Path.Combine(folder.Path, "keys.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new object[]
        {
            new { key = Key, tenant = "tenant-a", scopes = new[] { "*" } },
            new { key = ReaderKey, tenant = "tenant-a", scopes = new[] { "runs:read" } },
            new { key = LiveKey, tenant = "tenant-a", scopes = new[] { "*" } },
            new { key = OtherTenantKey, tenant = "tenant-b", scopes = new[] { "*" } },
        }));
        return path;
    }
}
