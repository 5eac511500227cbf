using System.Diagnostics;
using OpenWop.Micro.Events;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

// Durable rows per second through the group commit, by the number of submitters that each wait for their own row, and what
// publishing on the in-process bus costs. Every commit is flushed to the disk.
// Run with: dotnet run -c Release --project bench/Storage [seconds per line]

var seconds = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 3;
using var folder = new TempFolder();
await using var postgres = await PostgreSqlServer.StartAsync();
DatabaseOptions[] engines = [DatabaseOptions.Sqlite(folder.File("bench.db")), DatabaseOptions.PostgreSql(postgres.ConnectionString, "bench")];

Console.WriteLine($"{"",-12}{"submitters",12}{"rows /s",12}{"commits /s",12}{"rows/commit",12}{"p50",10}{"p99",10}{"allocated",12}");
foreach (var engine in engines)
{
    await using var database = Database.Create(engine);
    await Migrations.ApplyAsync(database, typeof(Program).Assembly, CancellationToken.None);
    await CommitAsync(database, 16, 1, report: false);
    foreach (var submitters in new[] { 1, 16, 64, 256, 1024 })
        await CommitAsync(database, submitters, seconds, report: true);
}

await PublishAsync(0);
await PublishAsync(1);
await PublishAsync(10);

static async Task CommitAsync(Database database, int submitters, int seconds, bool report)
{
    await database.WriteAsync(session => session.ExecuteAsync("DELETE FROM rows"), CancellationToken.None);
    var commits = 0;
    await using var group = new GroupCommit<long, long>(
        database,
        new GroupCommitOptions { Name = "bench" },
        async (session, ids) =>
        {
            foreach (var id in ids)
                session.Enqueue("INSERT INTO rows (id, value, data) VALUES ($1, $2, $3)", id, "node.completed", Payload);

            await session.FlushAsync();
            return ids;
        },
        (_, _) => commits++);

    var next = 0L;
    var allocated = GC.GetTotalAllocatedBytes();
    var started = Stopwatch.GetTimestamp();
    var latencies = await Task.WhenAll(Enumerable.Range(0, submitters).Select(_ => Task.Run(async () =>
    {
        var own = new List<double>();
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
        {
            var submitted = Stopwatch.GetTimestamp();
            await group.SubmitAsync(Interlocked.Increment(ref next), CancellationToken.None);
            own.Add(Stopwatch.GetElapsedTime(submitted).TotalMilliseconds);
        }

        return own;
    })));
    var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
    if (!report)
        return;

    var all = latencies.SelectMany(own => own).Order().ToArray();
    Console.WriteLine(
        $"{database.Dialect,-12}{submitters,12}{all.Length / elapsed,12:F0}{commits / elapsed,12:F0}{(double)all.Length / commits,12:F1}"
        + $"{all[all.Length / 2],7:F2} ms{all[all.Length * 99 / 100],7:F2} ms{(GC.GetTotalAllocatedBytes() - allocated) / all.Length,10} B");
}

static async Task PublishAsync(int subscribers)
{
    const int Count = 5_000_000;
    IEventBus bus = new InProcessEventBus();
    for (var i = 0; i < subscribers; i++)
        await bus.SubscribeAsync("runs/a", CancellationToken.None);

    var message = new BusMessage("runs/a", 1, Payload);
    var started = Stopwatch.GetTimestamp();
    for (var i = 0; i < Count; i++)
        bus.Publish(message);

    Console.WriteLine($"publish to {subscribers,2} subscribers {Stopwatch.GetElapsedTime(started).TotalNanoseconds / Count,8:F0} ns");
}

internal sealed partial class Program
{
    private static readonly byte[] Payload = new byte[512];
}
