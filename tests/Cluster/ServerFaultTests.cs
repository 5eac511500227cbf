using System.Net.Sockets;
using Npgsql;
using OpenWop.Micro.Cluster.Tests.Load;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>Faults of what the installation stands on.</summary>
[Collection(WithCluster.Name)]
public sealed class ServerFaultTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task PostgreSQL_may_crash_and_come_back()
    {
        using var load = new MixedLoad(fixture, output);
        await load.RunAsync(
            150,
            async () =>
            {
                await fixture.Cluster.Postgres.StopAsync("immediate");
                await Task.Delay(500);
                await fixture.Cluster.Postgres.StartAsync();
            });
    }

    [Fact]
    public async Task PostgreSQL_may_be_away_for_longer_than_a_lease()
    {
        using var load = new MixedLoad(fixture, output);
        await load.RunAsync(
            80,
            async () =>
            {
                await fixture.Cluster.Postgres.StopAsync("fast");
                await Task.Delay(ClusterFixture.Lease * 1.5);
                await fixture.Cluster.Postgres.StartAsync();
            });
    }

    [Fact]
    public async Task All_connections_to_PostgreSQL_may_break_at_once()
    {
        using var load = new MixedLoad(fixture, output);
        Func<Task> cut = () => ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name LIKE 'openwop%'");
        await load.RunAsync(150, cut, cut, cut, cut, cut);
    }

    [Fact]
    public async Task Redis_may_be_flushed_and_restarted()
    {
        using var load = new MixedLoad(fixture, output);
        await load.RunAsync(
            150,
            FlushAsync,
            () => fixture.Cluster["redis"].KillAsync(),
            () => fixture.Cluster.RestartAsync("redis"),
            FlushAsync);
    }

    [Fact]
    public async Task Clocks_may_differ_by_half_a_minute()
    {
        using var load = new MixedLoad(fixture, output);
        try
        {
            await fixture.Cluster.RestartAsync("runs-1", ("OPENWOP_TEST_SEAMS", "true"), ("OPENWOP_TEST_CLOCK_OFFSET_MS", "30000"));
            await fixture.Cluster.RestartAsync("runs-2", ("OPENWOP_TEST_SEAMS", "true"), ("OPENWOP_TEST_CLOCK_OFFSET_MS", "-30000"));
            await load.RunAsync(
                100,
                () => fixture.Cluster["runs-1"].KillAsync(),
                () => fixture.Cluster["runs-3"].KillAsync());
        }
        finally
        {
            await fixture.Cluster.RestartAsync("runs-1", ("OPENWOP_TEST_CLOCK_OFFSET_MS", "0"));
            await fixture.Cluster.RestartAsync("runs-2", ("OPENWOP_TEST_CLOCK_OFFSET_MS", "0"));
        }
    }

    private Task FlushAsync()
    {
        var address = fixture.Cluster["redis"].Url.Split(':');
        using var client = new TcpClient(address[0], int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture));
        client.Client.Send("FLUSHALL\r\n"u8);
        return Task.CompletedTask;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(fixture.Cluster.Postgres.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
