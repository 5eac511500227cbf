using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>An embedded host whose files must not grow any more, as on a full disk.</summary>
public sealed class DiskFullTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private Member? _host;

    [Fact]
    public async Task A_full_disk_refuses_new_runs_and_loses_none_of_the_old_ones()
    {
        await StartAsync();
        Assert.Equal(201, (await SendAsync("PUT", "/v1/workflows/big", """
            {"id":"big","name":"big","version":"1.0","triggers":[],"variables":[],"metadata":{},"settings":{},"edges":[],
             "nodes":[{"id":"a","typeId":"core.delay","name":"a","position":{"x":0,"y":0},"inputs":{},"config":{"ms":100}}]}
            """)).Status);
        var body = $$"""{"workflowId":"big","inputs":{"text":"{{new string('x', 60_000)}}"} }""";
        List<string> acknowledged = [await CreateAsync(body)];

        await LimitFilesAsync((new DirectoryInfo(_folder.Path).GetFiles("runs.db*", SearchOption.AllDirectories).Max(file => file.Length) + 1_000_000).ToString(CultureInfo.InvariantCulture));
        var (status, answer) = await SendAsync("POST", "/v1/runs", body);
        for (var i = 0; status == 201 && i < 2000; i++)
        {
            acknowledged.Add(answer.GetProperty("runId").GetString()!);
            (status, answer) = await SendAsync("POST", "/v1/runs", body);
        }

        Assert.True(status == 503, $"{acknowledged.Count} runs, then {status} {answer}");
        Assert.Equal("service_unavailable", answer.GetProperty("error").GetString());
        Assert.Equal(200, (await SendAsync("GET", "/v1/runs/" + acknowledged[0])).Status);

        await LimitFilesAsync("unlimited");
        await Eventually.TrueAsync(async () => (await SendAsync("POST", "/v1/runs", body)).Status == 201);
        foreach (var runId in acknowledged)
        {
            await Eventually.TrueAsync(async () => (await SendAsync("GET", "/v1/runs/" + runId)).Body.GetProperty("status").GetString() == "completed", runId);
            var log = (await SendAsync("GET", $"/v1/runs/{runId}/events/poll?timeout=0")).Body.GetProperty("events").EnumerateArray().ToList();
            Assert.Equal(Enumerable.Range(0, log.Count).Select(sequence => (long)sequence), log.Select(@event => @event.GetProperty("sequence").GetInt64()));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.KillAsync();
        _client.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var root = output;
        while (!File.Exists(Path.Combine(root.FullName, "OpenWop.Micro.sln")))
            root = root.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        var program = Path.Combine(root.FullName, "services", "standalone", "bin", output.Parent!.Name, output.Name, "OpenWop.Micro.Standalone.dll");
        var url = $"http://127.0.0.1:{FreePort()}";
        _host = new Member
        {
            Name = "standalone",
            Service = "standalone",
            Url = url,
            Log = _folder.File("log"),

            // The limit comes with a signal that would end the process; a full disk does not.
            Command = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", "dotnet", program, "--urls", url, "--data", _folder.Path],
            Environment = new Dictionary<string, string>
            {
                ["OPENWOP_API_KEY"] = LocalCluster.Key,
                ["OPENWOP_RATELIMIT_DISABLED"] = "true",
                ["OPENWOP_LOG_LEVEL"] = "Critical",

                // The runtime's own memory files are under the limit, too.
                ["DOTNET_EnableWriteXorExecute"] = "0",
            },
        }.Start();
        _client.BaseAddress = new Uri(url);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await SendAsync("GET", "/readyz")).Status == 200;
            }
            catch (HttpRequestException) when (_host.IsAlive)
            {
                return false;
            }
        });
    }

    private async Task<string> CreateAsync(string body)
    {
        var (status, answer) = await SendAsync("POST", "/v1/runs", body);
        Assert.True(status == 201, answer.ToString());
        return answer.GetProperty("runId").GetString()!;
    }

    private async Task<(int Status, JsonElement Body)> SendAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _client.SendAsync(request);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    /// <summary>The soft limit only, which may be raised again.</summary>
    private async Task LimitFilesAsync(string bytes)
    {
        using var limit = Process.Start("prlimit", ["--pid", _host!.ProcessId.ToString(CultureInfo.InvariantCulture), $"--fsize={bytes}:unlimited"]);
        await limit.WaitForExitAsync();
        Assert.Equal(0, limit.ExitCode);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
