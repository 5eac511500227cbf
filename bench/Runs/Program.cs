// Created and completed runs per second, and the server's CPU seconds per 1,000 runs, on the embedded host.
// Usage: bench/run [runs] [clients]   (defaults: 5000 runs, 32 clients)
using System.Diagnostics;
using System.Globalization;
using System.Net;
using OpenWop.Micro.Bench.Runs;

var runs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
var clients = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 32;

await using var host = await EmbeddedHost.StartAsync();
using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients, AutomaticDecompression = DecompressionMethods.None })
{
    BaseAddress = host.Url,
    DefaultRequestHeaders = { { "Authorization", "Bearer " + EmbeddedHost.Key } },
};

Console.WriteLine($"{"workflow",-12} {"runs",7} {"created/s",10} {"completed/s",12} {"server CPU s per 1,000",23} {"p50 ms",8} {"p99 ms",8}");
foreach (var workflow in Workflows.All)
{
    await host.PutAsync(http, workflow);
    await DriveAsync(workflow, Math.Min(500, runs), quiet: true);
    await DriveAsync(workflow, runs, quiet: false);
}

async Task DriveAsync(Workflow workflow, int count, bool quiet)
{
    var cpu = host.CpuTime();
    var clock = Stopwatch.StartNew();
    var left = count;
    var latencies = new double[count];
    var ids = new string[count];
    await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
    {
        int index;
        while ((index = Interlocked.Decrement(ref left)) >= 0)
        {
            var start = Stopwatch.GetTimestamp();
            ids[index] = await host.CreateAsync(http, workflow);
            latencies[index] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }));
    var created = clock.Elapsed;

    left = count;
    await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
    {
        int index;
        while ((index = Interlocked.Decrement(ref left)) >= 0)
            await host.WaitForEndAsync(http, ids[index]);
    }));
    var completed = clock.Elapsed;
    if (quiet)
        return;

    Array.Sort(latencies);
    var perThousand = (host.CpuTime() - cpu).TotalSeconds * 1000 / count;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{workflow.Id,-12} {count,7} {count / created.TotalSeconds,10:F0} {count / completed.TotalSeconds,12:F0} {perThousand,23:F2} {latencies[count / 2],8:F1} {latencies[count * 99 / 100],8:F1}"));
}
