using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Bench.Webhooks;

/// <summary>One event after the other, and then very many at once.</summary>
internal static class Throughput
{
    private const int EventsPerRun = 5;
    private const int Single = 200;

    public static async Task MeasureAsync(string name, string[] settings, int events, int webhooks)
    {
        await using var host = await WebhooksHost.StartAsync([.. settings, "OPENWOP_WEBHOOK_CONCURRENCY=16"], isReal: true);
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
        var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds / deliveries * 1000;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name,-12}{times[Single / 2],11:F1}{times[Single * 99 / 100],9:F1}{deliveries,12}{deliveries / seconds,12:F0}{used,16:F2}"));
    }
}
