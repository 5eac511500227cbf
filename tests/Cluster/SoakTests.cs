using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Cluster.Tests.Load;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>Half of what the cluster can do, for a while, with processes that die.</summary>
[Collection(WithCluster.Name)]
public sealed class SoakTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Clients = 12;

    private static readonly TimeSpan Measuring = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary><c>OPENWOP_CLUSTER_SOAK_SECONDS</c>: how long; 600 for the long form.</summary>
    [Fact]
    public async Task Half_of_the_load_goes_on_for_a_minute_while_processes_die()
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_CLUSTER_SOAK_SECONDS") ?? "60", CultureInfo.InvariantCulture);
        using var load = new MixedLoad(fixture, output);
        await load.PrepareAsync();
        var runs = await WorkAsync(load);
        var maximum = runs / Measuring.TotalSeconds;

        // Those that are not killed show whether memory grows.
        string[] survivors = ["identity-1", "workflows-1", "gateway-2"];
        using var over = new CancellationTokenSource();
        var killing = KillAsync(load.Random, over.Token);
        var pause = TimeSpan.FromSeconds(2 / maximum);
        var started = Stopwatch.GetTimestamp();
        List<Task> living = [];
        Dictionary<string, long> before = [];
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed.TotalSeconds < seconds)
        {
            if (before.Count == 0 && elapsed.TotalSeconds > seconds / 2.0)
                before = survivors.ToDictionary(name => name, MemoryOf);

            living.Add(load.LiveAsync(runs++));
            var next = pause * living.Count - Stopwatch.GetElapsedTime(started);
            if (next > TimeSpan.Zero)
                await Task.Delay(next);
        }

        await over.CancelAsync();
        await killing;
        await Task.WhenAll(living);
        var after = survivors.ToDictionary(name => name, MemoryOf);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"maximum {maximum:F0} runs/s; {living.Count} runs in {seconds} s at half of it"));
        output.WriteLine($"creation: {load.Creation}");
        output.WriteLine($"event to client: {load.Delivery}");
        output.WriteLine("memory: " + string.Join(", ", survivors.Select(name => $"{name} {before[name] >> 20} MB to {after[name] >> 20} MB")));
        await load.CheckAsync(runs);
        Assert.All(survivors, name => Assert.True(after[name] < (before[name] * 1.25) + (64 << 20), $"{name} grows from {before[name]} to {after[name]} bytes"));
    }

    /// <summary>As many runs as can be had for a moment; returns how many.</summary>
    private static async Task<int> WorkAsync(MixedLoad load)
    {
        var started = Stopwatch.GetTimestamp();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < Measuring)
                await load.LiveAsync(Interlocked.Increment(ref next));
        })));
        return next + 1;
    }

    private async Task KillAsync(Random random, CancellationToken cancellationToken)
    {
        string[] victims = ["runs-1", "runs-2", "runs-3", "gateway-1"];
        while (true)
        {
            await Task.Delay(Period, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return;

            await fixture.Cluster.RestartAsync(victims[random.Next(victims.Length)]);
        }
    }

    /// <summary>Resident bytes.</summary>
    private long MemoryOf(string member)
    {
        using var process = Process.GetProcessById(fixture.Cluster[member].ProcessId);
        return process.WorkingSet64;
    }
}
