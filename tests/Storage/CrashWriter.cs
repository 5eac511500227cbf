using System.Globalization;

namespace OpenWop.Micro.Storage.Tests;

/// <summary>Commits rows in groups as fast as it can and prints each id only when its commit was acknowledged. Runs until killed.</summary>
internal static class CrashWriter
{
    private const int Submitters = 32;

    public static async Task<int> RunAsync(string path)
    {
        await using var database = Database.Create(DatabaseOptions.Sqlite(path));
        await Migrations.ApplyAsync(database, typeof(CrashWriter).Assembly, CancellationToken.None);
        await using var commits = new GroupCommit<long, long>(
            database,
            new GroupCommitOptions { Name = "crash" },
            async (session, ids) =>
            {
                foreach (var id in ids)
                    await session.ExecuteAsync("INSERT INTO rows (id, value) VALUES ($1, $2)", id, "value " + id);

                return ids;
            });
        var next = 0L;
        using var output = Console.OpenStandardOutput();
        var print = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Submitters).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var id = await commits.SubmitAsync(Interlocked.Increment(ref next), CancellationToken.None);
                lock (print)
                    output.Write(System.Text.Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture) + "\n"));
            }
        })));
        return 0;
    }
}
