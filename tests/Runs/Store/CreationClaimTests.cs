using System.Collections.Concurrent;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Store;

public sealed class CreationClaimTests
{
    [Fact]
    public async Task The_same_requests_and_scopes_in_two_instances_make_one_run_each_and_nobody_waits_in_a_circle()
    {
        const int Rounds = 40;
        await using var server = await PostgreSqlServer.StartAsync();
        await using var one = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "runs"));
        await using var two = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "runs"));
        await Migrations.ApplyAsync(one, typeof(RunStore).Assembly, CancellationToken.None);
        var winners = new ConcurrentBag<string>();

        await Task.WhenAll(new[] { one, two }.Select((database, instance) => Task.Run(async () =>
        {
            var random = new Random(instance);
            for (var round = 0; round < Rounds; round++)
            {
                RunAppend[] batch = [.. Enumerable.Range(0, 12).Select(i => Creation($"run-{instance}-{round}-{i}", $"request-{round}-{i}", $"scope-{round}-{i % 7}"))];
                random.Shuffle(batch);
                var results = await TakeAsync(database, batch);
                for (var i = 0; i < batch.Length; i++)
                {
                    if (results[i] is null)
                        winners.Add(batch[i].State.Options!.ScopeId!);
                    else
                        Assert.NotNull(results[i]!.OtherRunId);
                }
            }
        }))).WaitAsync(Eventually.Limit);

        Assert.Equal(Rounds * 7, winners.Count);
        Assert.Equal(Rounds * 7, winners.Distinct().Count());
        await using var reading = await one.OpenReadAsync(CancellationToken.None);
        Assert.Equal(0, await reading.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
    }

    [Fact]
    public async Task Within_a_batch_a_request_is_taken_once_and_a_scope_passes_on_when_its_run_has_ended()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("runs.db"), "runs"));
        await Migrations.ApplyAsync(database, typeof(RunStore).Assembly, CancellationToken.None);

        var results = await TakeAsync(
            database,
            Creation("run-a", "r1", "s"),
            Creation("run-b", "r1", "s"),
            Creation("run-c", "r2", "s"),
            Creation("run-d", "r2", "s"),
            Creation("run-a", null, "s") with { Creation = null, State = State("s") with { Status = RunStatus.Completed } },
            Creation("run-e", "r3", "s"));

        Assert.Null(results[0]);
        Assert.Equal((AppendStatus.DuplicateRequest, "run-a"), (results[1]!.Status, results[1]!.OtherRunId));
        Assert.Equal((AppendStatus.ScopeTaken, "run-a"), (results[2]!.Status, results[2]!.OtherRunId));
        Assert.Equal((AppendStatus.ScopeTaken, "run-a"), (results[3]!.Status, results[3]!.OtherRunId));
        Assert.Null(results[4]);
        Assert.Null(results[5]);

        // What was refused has claimed nothing.
        Assert.Null((await TakeAsync(database, Creation("run-f", "r2", null)))[0]);
    }

    private static async Task<AppendResult?[]> TakeAsync(Database database, params RunAppend[] batch) => await database.WriteAsync(
        async session =>
        {
            var results = new AppendResult?[batch.Length];
            await CreationClaims.TakeAsync(session, batch, results, now: 1);
            return results;
        },
        CancellationToken.None);

    private static RunAppend Creation(string runId, string? requestId, string? scope) =>
        new(new RunLease(runId, 0, 1), [], State(scope)) { Creation = new RunCreation(requestId, ClaimScope: true) };

    private static RunState State(string? scope) => new()
    {
        Options = new RunOptions { Tenant = "t", DefinitionOwner = "t", DefinitionVersion = 1, ScopeId = scope },
    };
}
