using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Bench.Runs;

/// <summary>The embedded host as a process of its own, so that its CPU time is its own.</summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    public const string Key = "hk_bench_0123456789abcdef0123456789abcdef";

    private readonly Process process;
    private readonly string folder;

    private EmbeddedHost(Process process, Uri url, string folder)
    {
        this.process = process;
        Url = url;
        this.folder = folder;
    }

    public Uri Url { get; }

    public string RunsDatabase => Path.Combine(folder, "runs.db");

    public static Task<EmbeddedHost> StartAsync() => StartAsync(Directory.CreateTempSubdirectory("openwop-bench-").FullName);

    /// <summary>Stops the host, does something to its data, and starts it again.</summary>
    public async Task<EmbeddedHost> StartAgainAsync(Action between)
    {
        await StopAsync();
        between();
        return await StartAsync(folder);
    }

    private static async Task<EmbeddedHost> StartAsync(string folder)
    {
        var assembly = Environment.GetEnvironmentVariable("BENCH_HOST") ?? throw new InvalidOperationException("Start it by bench/run.");
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo("dotnet", [assembly, "--urls", url.ToString(), "--data", folder])
        {
            RedirectStandardOutput = true,
            Environment = { ["OPENWOP_API_KEY"] = Key, ["OPENWOP_RATELIMIT_DISABLED"] = "true", ["OPENWOP_LOG_LEVEL"] = "Warning" },
        };
        var process = Process.Start(start)!;
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        using var http = new HttpClient { BaseAddress = url };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(50))
        {
            try
            {
                if ((await http.GetAsync(new Uri("/readyz", UriKind.Relative))).IsSuccessStatusCode)
                    return new EmbeddedHost(process, url, folder);
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }

        throw new TimeoutException("The host did not become ready.");
    }

    public TimeSpan CpuTime()
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    public async Task PutAsync(HttpClient http, Workflow workflow)
    {
        using var content = new StringContent(workflow.Definition, Encoding.UTF8, "application/json");
        using var answer = await http.PutAsync(new Uri(Url, $"/v1/workflows/{workflow.Id}"), content);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<string> CreateAsync(HttpClient http, Workflow workflow)
    {
        using var content = new StringContent($$"""{"workflowId":"{{workflow.Id}}"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(Url, "/v1/runs"), content);
        if (answer.StatusCode != HttpStatusCode.Created)
            throw new InvalidOperationException($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");

        return JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync()).GetProperty("runId").GetString()!;
    }

    /// <summary>Long polls until the run is over.</summary>
    public async Task WaitForEndAsync(HttpClient http, string runId)
    {
        long? last = null;
        while (true)
        {
            var query = last is { } sequence ? $"?timeout=30&lastSequence={sequence}" : "?timeout=30";
            var page = JsonElement.Parse(await http.GetByteArrayAsync(new Uri(Url, $"/v1/runs/{runId}/events/poll{query}")));
            if (page.GetProperty("isComplete").GetBoolean())
                return;

            foreach (var @event in page.GetProperty("events").EnumerateArray())
                last = @event.GetProperty("sequence").GetInt64();
        }
    }

    private async Task StopAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
