// How long an event takes to its receiver, and how many deliveries a worker makes. Feed, worker and receiver share one process.
// Run with: dotnet run -c Release --project bench/Webhooks [events] [webhooks]   (defaults: 5000, 4)
using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;

const int EventsPerRun = 5;
const int Single = 200;

var events = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
var webhooks = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 4;

Console.WriteLine($"{"",-12}{"median ms",11}{"p99 ms",9}{"deliveries",12}{"per second",12}{"CPU ms each",13}");
await MeasureAsync("SQLite", []);
await using var postgres = await PostgreSqlServer.StartAsync();
await MeasureAsync("PostgreSQL", [$"OPENWOP_POSTGRES={postgres.ConnectionString}"]);

async Task MeasureAsync(string name, string[] settings)
{
    await using var host = await WebhooksHost.StartAsync([.. settings, "OPENWOP_WEBHOOK_CONCURRENCY=16"]);
    await using var receiver = await Receiver.StartAsync();
    using var arrived = new SemaphoreSlim(0);
    receiver.Answer = (_, _) =>
    {
        arrived.Release();
        return Task.CompletedTask;
    };

    await host.RegisterAsync(receiver.Url, ["bench.single"]);
    for (var i = 0; i < webhooks; i++)
        await host.RegisterAsync(receiver.Url, ["bench.many"]);

    var times = new List<double>();
    for (var i = 0; i < Single; i++)
    {
        var started = Stopwatch.GetTimestamp();
        host.Feed.Commit($"single-{i}", "bench.single");
        await arrived.WaitAsync();
        times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    times.Sort();
    var cpu = Process.GetCurrentProcess().TotalProcessorTime;
    var begun = Stopwatch.GetTimestamp();
    for (var i = 0; i < events; i++)
        host.Feed.Commit($"many-{i / EventsPerRun}", "bench.many");

    var deliveries = events * webhooks;
    for (var i = 0; i < deliveries; i++)
        await arrived.WaitAsync();

    var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
    var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds / deliveries;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{name,-12}{times[Single / 2],11:F1}{times[Single * 99 / 100],9:F1}{deliveries,12}{deliveries / seconds,12:F0}{used,13:F2}"));
}
