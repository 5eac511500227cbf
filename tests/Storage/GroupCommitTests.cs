using System.Collections.Concurrent;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

[Collection(WithDatabases.Name)]
public sealed class GroupCommitTests(TestDatabases databases)
{
    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task Ten_thousand_submits_share_few_commits(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);
        var batches = new ConcurrentQueue<int>();
        await using (var commits = Rows(database, (items, _) => batches.Enqueue(items.Count)))
        {
            await Task.WhenAll(Enumerable.Range(1, 10_000).Select(id => Task.Run(async () =>
                Assert.Equal(id * 2L, await commits.SubmitAsync(new Row(id, "v"), CancellationToken.None)))));
        }

        Assert.Equal(10_000, batches.Sum());
        Assert.InRange(batches.Count, 1, 2_000);
        Assert.Equal(10_000, await CountAsync(database));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_bad_item_fails_alone(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);
        var published = new ConcurrentQueue<long>();
        await using var commits = Rows(database, (items, _) => items.ToList().ForEach(item => published.Enqueue(item.Id)));

        var submits = new[] { 1, 2, 2, 3, 1, 4 }.Select(id => commits.SubmitAsync(new Row(id, "v"), CancellationToken.None)).ToArray();
        await Task.WhenAll(submits.Select(submit => submit.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.Equal([true, true, false, true, false, true], submits.Select(submit => submit.IsCompletedSuccessfully));
        Assert.All(submits.Where(submit => submit.IsFaulted), submit => Assert.True(DatabaseErrors.IsUniqueViolation(submit.Exception!.InnerException!)));
        Assert.Equal([1, 2, 3, 4], published);
        Assert.Equal(4, await CountAsync(database));
    }

    [Fact]
    public async Task When_the_database_is_not_available_items_are_not_tried_one_by_one()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var attempts = new ConcurrentQueue<int>();
        var started = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var commits = new GroupCommit<Row, long>(
            database,
            new GroupCommitOptions { Name = "full" },
            async (_, items) =>
            {
                started.TrySetResult();
                await gate.Task;
                attempts.Enqueue(items.Count);
                throw new Microsoft.Data.Sqlite.SqliteException("database or disk is full", 13);
            });

        var submits = new List<Task> { commits.SubmitAsync(new Row(0, "v"), CancellationToken.None) };
        await started.Task.WaitAsync(Eventually.Limit);
        for (var id = 1; id <= 100; id++)
            submits.Add(commits.SubmitAsync(new Row(id, "v"), CancellationToken.None));

        gate.SetResult();
        await Task.WhenAll(submits.Select(submit => Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => submit)));

        Assert.Equal([1, 100], attempts);
    }

    [Fact]
    public async Task Callbacks_see_commit_order_after_the_row_is_visible()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var published = new List<long>();
        var visible = true;
        await using (var commits = Rows(database, (items, _) =>
        {
            published.AddRange(items.Select(item => item.Id));
            visible &= CountAsync(database).GetAwaiter().GetResult() >= published.Count;
        }))
        {
            var submits = new List<Task>();
            for (var id = 1; id <= 500; id++)
                submits.Add(commits.SubmitAsync(new Row(id, "v"), CancellationToken.None));

            await Task.WhenAll(submits);
        }

        Assert.Equal(Enumerable.Range(1, 500).Select(id => (long)id), published);
        Assert.True(visible);
    }

    [Fact]
    public async Task A_full_queue_makes_submitters_wait_and_a_waiting_item_can_be_withdrawn()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var started = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var commits = new GroupCommit<Row, long>(
            database,
            new GroupCommitOptions { Name = "narrow", Capacity = 2, MaxBatch = 1 },
            async (session, items) =>
            {
                started.TrySetResult();
                await gate.Task;
                return await InsertAsync(session, items);
            });

        var first = commits.SubmitAsync(new Row(1, "v"), CancellationToken.None);
        await started.Task.WaitAsync(Eventually.Limit);
        using var withdraw = new CancellationTokenSource();
        var second = commits.SubmitAsync(new Row(2, "v"), withdraw.Token);
        var third = commits.SubmitAsync(new Row(3, "v"), CancellationToken.None);
        using var impatient = new CancellationTokenSource();
        var fourth = commits.SubmitAsync(new Row(4, "v"), impatient.Token);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fourth); // no room
        await withdraw.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second); // in the queue
        gate.SetResult();
        await Task.WhenAll(first, third);

        Assert.Equal(2, await CountAsync(database));
    }

    [Fact]
    public async Task Shutdown_commits_what_is_queued_and_refuses_more()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var commits = Rows(database);
        var submits = Enumerable.Range(1, 1000).Select(id => commits.SubmitAsync(new Row(id, "v"), CancellationToken.None)).ToArray();

        await commits.DisposeAsync();

        await Task.WhenAll(submits);
        Assert.Equal(1000, await CountAsync(database));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => commits.SubmitAsync(new Row(1001, "v"), CancellationToken.None));
    }

    [Fact]
    public async Task A_wrong_number_of_results_commits_nothing()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var commits = new GroupCommit<Row, long>(
            database,
            new GroupCommitOptions { Name = "short" },
            async (session, items) => (await InsertAsync(session, items)).Skip(1).ToArray());

        await Assert.ThrowsAsync<InvalidOperationException>(() => commits.SubmitAsync(new Row(1, "v"), CancellationToken.None));

        Assert.Equal(0, await CountAsync(database));
    }

    private static GroupCommit<Row, long> Rows(Database database, Action<IReadOnlyList<Row>, IReadOnlyList<long>>? onCommitted = null) =>
        new(database, new GroupCommitOptions { Name = "rows" }, InsertAsync, onCommitted);

    private static async Task<IReadOnlyList<long>> InsertAsync(WriteSession session, IReadOnlyList<Row> items)
    {
        foreach (var item in items)
            session.Enqueue("INSERT INTO rows (id, value) VALUES ($1, $2)", item.Id, item.Value);

        await session.FlushAsync();
        return [.. items.Select(item => item.Id * 2)];
    }

    private static async Task<long> CountAsync(Database database)
    {
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        return await session.ScalarAsync<long>("SELECT count(*) FROM rows");
    }

    private sealed record Row(long Id, string Value);
}
