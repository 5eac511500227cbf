using System.Text.Json;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Runs.Nodes.Tests;

/// <summary>The statements of the ledger on the other engine, several instances at once.</summary>
public sealed class ActivityLedgerOnPostgreSqlTests : IAsyncLifetime
{
    private PostgreSqlServer server = null!;

    public async Task InitializeAsync() => server = await PostgreSqlServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Effects_happen_once_and_a_former_owner_is_shut_out()
    {
        await using var database = await TestDatabase.CreateAsync(DatabaseOptions.PostgreSql(server.ConnectionString, "runs"));
        await using var former = await database.NewOwnerAsync();
        var begun = new TaskCompletionSource();
        var frost = new TaskCompletionSource();
        var late = former.For(Node(database, 0)).RunOnceAsync(
            "p",
            async (_, _) =>
            {
                begun.SetResult();
                await frost.Task;
                return Result("\"late\"");
            },
            CancellationToken.None);
        await begun.Task;

        await using var owner = await database.NewOwnerAsync();
        var effects = 0;
        var calls = Enumerable.Range(0, 100).SelectMany(iteration => Enumerable.Repeat(iteration, 2)).Select(iteration =>
            owner.For(Node(database, iteration)).RunOnceAsync(
                "p",
                (_, _) => Task.FromResult(Result(Interlocked.Increment(ref effects).ToString(System.Globalization.CultureInfo.InvariantCulture))),
                CancellationToken.None));
        var results = await Task.WhenAll(calls);
        frost.SetResult();

        await Assert.ThrowsAsync<RunMovedException>(() => late);
        Assert.Equal(100, effects);
        Assert.Equal(100, results.Select(result => result.Value.GetInt32()).Distinct().Count());
        Assert.Equal("claims=2 settled=1", (await database.RowsAsync()).Split("; ").Single(row => row.StartsWith("claims=2", StringComparison.Ordinal)));
    }

    private static NodeHarness Node(TestDatabase database, int iteration) =>
        new() { TypeId = "core.noop", RunId = database.RunId, Iteration = iteration };

    private static ActivityResult Result(string json) => new(JsonElement.Parse(json), null, Settled: true);
}
