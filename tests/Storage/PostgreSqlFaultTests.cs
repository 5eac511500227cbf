using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

/// <summary>A server of its own, because these tests break it.</summary>
public sealed class PostgreSqlFaultTests
{
    [Fact]
    public async Task Acknowledged_rows_survive_a_crash_of_the_server_and_the_pool_recovers()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "crash"));
        await Migrations.ApplyAsync(database, typeof(PostgreSqlFaultTests).Assembly, CancellationToken.None);
        var acknowledged = new HashSet<long>();
        var failed = 0;
        await using (var commits = new GroupCommit<long, long>(
            database,
            new GroupCommitOptions { Name = "crash", MaxBatch = 16 },
            async (session, ids) =>
            {
                foreach (var id in ids)
                    session.Enqueue("INSERT INTO rows (id, value) VALUES ($1, '')", id);

                await session.FlushAsync();
                return ids;
            }))
        {
            var next = 0L;
            var restarted = false;
            var submitters = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            {
                var afterRestart = 0;
                while (afterRestart < 20)
                {
                    try
                    {
                        var id = await commits.SubmitAsync(Interlocked.Increment(ref next), CancellationToken.None);
                        lock (acknowledged)
                            acknowledged.Add(id);

                        afterRestart += Volatile.Read(ref restarted) ? 1 : 0;
                    }
                    catch (Exception exception) when (exception is Npgsql.NpgsqlException or CommitOutcomeUnknownException)
                    {
                        Interlocked.Increment(ref failed);
                        await Task.Delay(20);
                    }
                }
            })).ToArray();

            await Eventually.TrueAsync(() => Volatile.Read(ref next) > 200);
            await server.RestartAsync();
            Volatile.Write(ref restarted, true);
            await Task.WhenAll(submitters).WaitAsync(Eventually.Limit);
        }

        var stored = new HashSet<long>();
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        await using var reader = await session.QueryAsync("SELECT id FROM rows");
        while (await reader.ReadAsync())
            stored.Add(reader.GetInt64(0));

        Assert.Subset(stored, acknowledged);
        Assert.True(failed > 0, "The crash hit nothing.");
    }

    [Fact]
    public async Task A_commit_whose_connection_breaks_is_reported_as_unknown()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "unknown"));
        await Migrations.ApplyAsync(database, typeof(PostgreSqlFaultTests).Assembly, CancellationToken.None);

        await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, '')");
                await server.RestartAsync(); // nothing is sent between this and the commit
            },
            CancellationToken.None));
    }
}
