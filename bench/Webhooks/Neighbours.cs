using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Bench.Webhooks;

/// <summary>
/// Five receivers that answer and one that hangs, at an even load. The one that hangs is paused and resumed in turn, so that both cases see
/// the same machine; what is written for it is the same in both.
/// </summary>
internal static class Neighbours
{
    private const int Good = 5;
    private const int EventsPerSecond = 10;
    private const int Turns = 5;

    public static async Task MeasureAsync(string name, string[] settings, int seconds)
    {
        // A circuit that closes soon, so that the hanging one is called again and again.
        await using var host = await WebhooksHost.StartAsync(
            [.. settings, "OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS=1", "OPENWOP_WEBHOOK_MAX_FAILURES=100000"], isReal: true);
        await using var receiver = await Receiver.StartAsync();
        await using var hanging = await Receiver.StartAsync();
        hanging.Answer = (_, context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        var committed = new ConcurrentDictionary<string, long>();
        var times = new ConcurrentBag<double>();
        receiver.Answer = (received, _) =>
        {
            times.Add(Stopwatch.GetElapsedTime(committed[received.RunId]).TotalMilliseconds);
            return Task.CompletedTask;
        };
        for (var i = 0; i < Good; i++)
            await host.RegisterAsync(receiver.Url, ["bench.even"]);

        var slow = await host.RegisterAsync(hanging.Url, ["bench.even"]);
        await PauseAsync(true);
        await RunAsync("warm", Math.Min(seconds, 3));
        var (without, with) = (new List<double[]>(), new List<double[]>());
        for (var turn = 0; turn < Turns; turn++)
        {
            without.Add(await RunAsync($"without-{turn}", seconds));
            await PauseAsync(false);
            with.Add(await RunAsync($"with-{turn}", seconds));
            await PauseAsync(true);
        }

        Print(name, "no", [.. without.SelectMany(turn => turn)]);
        Print(name, $"yes ({hanging.All.Count})", [.. with.SelectMany(turn => turn)]);

        // By turns, whose middle is not moved by what else the machine does for a while.
        var ratios = Enumerable.Range(0, Turns).Select(turn => Percentile(Of(with, turn), 99) / Percentile(Of(without, turn), 99)).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12}p99 with it / without, by turns: {string.Join(" ", ratios.Select(ratio => ratio.ToString("F2", CultureInfo.InvariantCulture)))}"));

        static List<double> Of(List<double[]> turns, int turn) => [.. turns[turn]];

        async Task PauseAsync(bool isPaused) =>
            await host.Client.SetPausedAsync(new SetPausedRequest { WebhookId = slow.WebhookId, Paused = isPaused }, await host.UserAsync());

        async Task<double[]> RunAsync(string phase, int length)
        {
            times.Clear();
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EventsPerSecond));
            var count = length * EventsPerSecond;
            for (var i = 0; i < count && await timer.WaitForNextTickAsync(); i++)
            {
                var runId = $"{phase}-{i}";
                committed[runId] = Stopwatch.GetTimestamp();
                host.Feed.Commit(runId, "bench.even");
            }

            while (times.Count < count * Good)
                await Task.Delay(5);

            return [.. times];
        }
    }

    private static void Print(string name, string hangs, List<double> times) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{name,-12}{hangs,11}{times.Count,12}{Percentile(times, 50),11:F1}{Percentile(times, 99),9:F1}"));

    private static double Percentile(List<double> times, int percent)
    {
        times.Sort();
        return times[(times.Count - 1) * percent / 100];
    }
}
