// Created and completed runs per second, and the server's CPU seconds per 1,000 runs, on the embedded host.
// Usage: bench/run [runs] [clients] [finished] [versions]   (defaults: 5000 runs, 32 clients; no past)
//   finished  so many finished runs are in the store before anything is measured
//   versions  so many versions of each workflow
using System.Diagnostics;
using System.Globalization;
using System.Net;
using OpenWop.Micro.Bench.Runs;

var runs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
var clients = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 32;
var finished = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0;
var versions = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 1;
const int Model = 64;

var host = await EmbeddedHost.StartAsync();
try
{
    if (finished > 0)
        host = await WithPastAsync(host);
    await MeasureAsync();
}
finally
{
    await host.DisposeAsync();
}

async Task<EmbeddedHost> WithPastAsync(EmbeddedHost first)
{
    using (var http = Client(first))
    {
        await first.PutAsync(http, Workflows.All[0]);
        for (var i = 0; i < Model; i++)
            await first.WaitForEndAsync(http, await first.CreateAsync(http, Workflows.All[0]));
    }

    var again = await first.StartAgainAsync(() => FinishedRuns.Multiply(first.RunsDatabase, finished));
    Console.WriteLine($"{finished} finished runs in {new FileInfo(again.RunsDatabase).Length / 1_000_000} MB");
    return again;
}

async Task MeasureAsync()
{
    using var http = Client(host);
    Console.WriteLine($"{"workflow",-12} {"runs",7} {"created/s",10} {"completed/s",12} {"server CPU s per 1,000",23} {"p50 ms",8} {"p99 ms",8}");
    foreach (var workflow in Workflows.All)
    {
        for (var version = 0; version < versions; version++)
            await host.PutAsync(http, workflow.InVersion(version));
        await DriveAsync(http, workflow, Math.Min(500, runs), quiet: true);
        await DriveAsync(http, workflow, runs, quiet: false);
    }
}

HttpClient Client(EmbeddedHost of) => new(new SocketsHttpHandler { MaxConnectionsPerServer = clients, AutomaticDecompression = DecompressionMethods.None })
{
    BaseAddress = of.Url,
    DefaultRequestHeaders = { { "Authorization", "Bearer " + EmbeddedHost.Key } },
};

async Task DriveAsync(HttpClient http, Workflow workflow, int count, bool quiet)
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
