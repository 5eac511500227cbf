using System.IO.Compression;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Runs.Retention;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Tests.Engine;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Store;

public sealed class RetentionTests
{
    private const int Finished = 40; // more than one per shard

    [Fact]
    public Task On_SQLite_finished_runs_are_archived_and_removed_and_waiting_ones_stay() => ExpireAsync([]);

    [Fact]
    public async Task On_PostgreSql_finished_runs_are_archived_and_removed_and_waiting_ones_stay()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await ExpireAsync([$"--OPENWOP_POSTGRES={server.ConnectionString}"]);
    }

    private static async Task ExpireAsync(string[] arguments)
    {
        using var archive = new TempFolder();
        await using var host = await EngineHost.StartAsync([], arguments: arguments);
        var waiting = await host.StoreAndCreateAsync("waits", """{"id":"gate","typeId":"core.approvalGate"}""", "", "{}", "{}");
        var finished = new List<string> { await host.StoreAndCreateAsync("ends", """{"id":"a","typeId":"core.noop"}""", "", "{}", "{}") };
        for (var i = 1; i < Finished; i++)
            finished.Add(await host.CreateAsync("""{"workflowId":"ends"}"""));

        var logs = new Dictionary<string, ReadEventsReply>();
        foreach (var run in finished)
            logs[run] = await host.WaitForEndAsync(run);

        var database = host.Services.GetRequiredKeyedService<Database>("runs");
        var before = await LastPositionsAsync(database);

        // Six days and a bit later nothing happens; after seven everything that has ended goes.
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow + TimeSpan.FromDays(6.9));
        var retention = Retention(host, archive.Path, clock);
        await retention.SweepAsync(CancellationToken.None);
        Assert.Equal("completed", await host.StatusAsync(finished[0]));

        clock.Advance(TimeSpan.FromDays(0.2));
        await retention.SweepAsync(CancellationToken.None);
        foreach (var run in finished)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => host.StatusAsync(run));
            Assert.Contains("was removed", refused.Status.Detail, StringComparison.Ordinal);
            Assert.Equal(logs[run].Events.Select(document => document.ToStringUtf8()), ReadArchive(archive.Path, run));
        }

        // What waits goes on, and positions of the shards do too.
        await host.AnswerAsync(waiting, "gate", """{"action":"accept"}""");
        await host.WaitForEndAsync(waiting);
        var after = await LastPositionsAsync(database);
        Assert.All(before, shard => Assert.True(after[shard.Key] >= shard.Value, $"shard {shard.Key}: {shard.Value} became {after[shard.Key]}"));
        for (var i = 0; i < ShardService.ShardCount; i++)
            await host.WaitForEndAsync(await host.CreateAsync("""{"workflowId":"ends"}"""));
        Assert.All(await LastPositionsAsync(database), shard => Assert.True(shard.Value > after.GetValueOrDefault(shard.Key), $"shard {shard.Key} does not go on from {after.GetValueOrDefault(shard.Key)}"));

        // After the tombstone nobody knows them any more.
        clock.Advance(TimeSpan.FromDays(31));
        await retention.SweepAsync(CancellationToken.None);
        var unknown = await Assert.ThrowsAsync<RpcException>(() => host.StatusAsync(finished[0]));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    private static RetentionService Retention(EngineHost host, string folder, TimeProvider clock) => new(
        host.Services.GetRequiredService<RetentionStore>(),
        host.Services.GetRequiredService<RunStore>(),
        host.Services.GetRequiredService<MemoryStore>(),
        host.Services.GetRequiredService<OwnedShards>(),
        new RetentionOptions { ArchiveFolder = folder },
        clock,
        NullLogger<RetentionService>.Instance);

    private static async Task<Dictionary<int, long>> LastPositionsAsync(Database database)
    {
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        var positions = new Dictionary<int, long>();
        for (var shard = 0; shard < ShardService.ShardCount; shard++)
            positions[shard] = await session.ScalarAsync<long>(RunQueries.LastPosition, (long)shard);
        return positions;
    }

    private static List<string> ReadArchive(string folder, string run)
    {
        using var file = File.OpenRead(Directory.GetFiles(folder, run + ".jsonl.gz", SearchOption.AllDirectories).Single());
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
            lines.Add(JsonElement.Parse(line).GetRawText());
        return lines;
    }
}
