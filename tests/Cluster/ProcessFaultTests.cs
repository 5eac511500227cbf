using OpenWop.Micro.Cluster.Tests.Load;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>Processes that die, freeze, or are replaced, under load.</summary>
[Collection(WithCluster.Name)]
public sealed class ProcessFaultTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_engines_are_killed()
    {
        using var load = new MixedLoad(fixture, output);
        var victims = fixture.Cluster.Of("runs").OrderBy(_ => load.Random.Next()).Take(2).Select(member => member.Name).ToList();
        await load.RunAsync(
            180,
            () => fixture.Cluster[victims[0]].KillAsync(),
            () => fixture.Cluster.RestartAsync(victims[0]),
            () => fixture.Cluster.RestartAsync(victims[1]));
    }

    [Fact]
    public async Task Clients_go_on_at_another_gateway_when_theirs_is_killed()
    {
        using var load = new MixedLoad(fixture, output);
        await load.RunAsync(
            120,
            () => fixture.Cluster["gateway-1"].KillAsync(),
            () => fixture.Cluster.RestartAsync("gateway-1"),
            () => fixture.Cluster.RestartAsync("gateway-2"));
    }

    [Fact]
    public async Task An_engine_that_was_frozen_longer_than_its_lease_writes_nothing_and_answers_nothing_old()
    {
        using var load = new MixedLoad(fixture, output);
        var frozen = fixture.Cluster.Of("runs")[load.Random.Next(3)].Name;
        await load.RunAsync(
            120,
            async () =>
            {
                await fixture.Cluster[frozen].SignalAsync("STOP");
                await Task.Delay(ClusterFixture.Lease * 1.75);
                await fixture.Cluster[frozen].SignalAsync("CONT");
            });
    }

    [Fact]
    public async Task Shards_that_go_from_one_frozen_engine_to_the_next_take_all_runs_along()
    {
        using var load = new MixedLoad(fixture, output);
        var engines = fixture.Cluster.Of("runs").OrderBy(_ => load.Random.Next()).ToList();

        // Each wakes up when the next one has just fallen asleep: it finds its shards taken, and takes those of the other.
        await load.RunAsync(
            150,
            async () =>
            {
                for (var turn = 0; turn < 6; turn++)
                {
                    await engines[turn % 3].SignalAsync("STOP");
                    if (turn > 0)
                        await engines[(turn - 1) % 3].SignalAsync("CONT");
                    await Task.Delay(ClusterFixture.Lease * (0.9 + (0.4 * load.Random.NextDouble())));
                }

                await engines[5 % 3].SignalAsync("CONT");
            });
    }

    [Fact]
    public async Task All_engines_may_freeze_at_once_for_longer_than_their_leases()
    {
        using var load = new MixedLoad(fixture, output);
        async Task FreezeAsync()
        {
            var engines = fixture.Cluster.Of("runs").OrderBy(_ => load.Random.Next()).ToList();
            await Task.WhenAll(engines.Select(engine => engine.SignalAsync("STOP")));
            await Task.Delay(ClusterFixture.Lease * (1 + load.Random.NextDouble()));
            await Task.WhenAll(engines.Select(engine => engine.SignalAsync("CONT")));
        }

        await load.RunAsync(150, FreezeAsync, FreezeAsync, FreezeAsync);
    }

    [Fact]
    public async Task Engines_that_freeze_for_moments_again_and_again_keep_their_runs_going()
    {
        using var load = new MixedLoad(fixture, output);
        async Task StutterAsync()
        {
            var engine = fixture.Cluster.Of("runs")[load.Random.Next(3)];
            for (var turn = 0; turn < 8; turn++)
            {
                await engine.SignalAsync("STOP");
                await Task.Delay(load.Random.Next(100, 1500));
                await engine.SignalAsync("CONT");
                await Task.Delay(load.Random.Next(10, 200));
            }
        }

        await load.RunAsync(150, StutterAsync, StutterAsync);
    }

    [Fact]
    public async Task Replacing_every_process_one_by_one_disturbs_nobody()
    {
        using var load = new MixedLoad(fixture, output);
        await load.RunAsync(
            200,
            [.. fixture.Cluster.Members.Where(member => member.Service is "runs" or "gateway").Select(member => (Func<Task>)(async () =>
            {
                await fixture.Cluster.TerminateAsync(member.Name);
                await fixture.Cluster.RestartAsync(member.Name);
            }))]);
    }
}
