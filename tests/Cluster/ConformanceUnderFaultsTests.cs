using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Cluster.Tests.Load;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.Conformance;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>What the protocol promises holds while processes die: the whole suite, from outside, as any client would see it.</summary>
[Collection(WithCluster.Name)]
public sealed class ConformanceUnderFaultsTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Parallelism = 8;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstKill = TimeSpan.FromSeconds(1);

    /// <summary><c>OPENWOP_CLUSTER_ROUNDS</c> repeats the suite, <c>OPENWOP_CLUSTER_SEED</c> the choices of who dies.</summary>
    [Fact]
    public async Task The_suite_passes_while_one_process_after_the_other_is_killed()
    {
        var random = FaultSeed.Next(output);
        using var suite = await Suite.ConnectAsync(new HostAccess([.. fixture.Cluster.Of("gateway").Select(gateway => new Uri(gateway.Url))], LocalCluster.Key)
        {
            LowScopeKey = LocalCluster.ReaderKey,
            OtherTenantKey = LocalCluster.OtherTenantKey,
            RetryBroken = true,
        });
        var rounds = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_CLUSTER_ROUNDS") ?? "1", CultureInfo.InvariantCulture);
        using var over = new CancellationTokenSource();
        var killing = KillAsync(random, over.Token);
        try
        {
            for (var round = 0; round < rounds && !killing.IsCompleted; round++)
                Check(await Report.RunAsync(suite, Catalog.All, Parallelism));
        }
        finally
        {
            await over.CancelAsync();
            await killing;
            await fixture.HealAsync();
        }
    }

    private void Check(IReadOnlyList<Outcome> outcomes)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{outcomes.Count(outcome => outcome.Verdict == Verdict.Passed)} scenarios passed, {outcomes.Sum(outcome => outcome.StartedOver)} starts in vain; not advertised: {string.Join(", ", outcomes.Where(outcome => outcome.Verdict == Verdict.NotAdvertised).Select(outcome => outcome.Scenario.Gate.Name).Distinct())}"));
        var failures = outcomes.Where(outcome => outcome.Verdict == Verdict.Failed).Select(outcome => $"{outcome.Scenario.Name}: {outcome.Reason}").ToList();
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    /// <summary>One process at a time, whichever it is, so that each of them is there again before the next one dies.</summary>
    private async Task KillAsync(Random random, CancellationToken cancellationToken)
    {
        var victims = fixture.Cluster.Members.Select(member => member.Name).Order(StringComparer.Ordinal).ToList();
        var pause = FirstKill;
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return;

            var victim = victims[random.Next(victims.Count)];
            output.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {victim} is killed");
            var killed = Stopwatch.GetTimestamp();
            await fixture.Cluster.RestartAsync(victim);

            // From kill to kill, unless a slow machine needs longer for the process to be there again.
            var rest = Period - Stopwatch.GetElapsedTime(killed);
            pause = rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
        }
    }
}
