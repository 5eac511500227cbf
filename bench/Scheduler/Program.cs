// How late runs are made: the time from a slot to the arrival of its call at the engine, with many schedules in the store.
// Run with: dotnet run -c Release --project bench/Scheduler [schedules] [slots per second] [seconds]   (defaults: 100000, 50, 20)
//   First the slots come evenly, then as many as in all those seconds come at once.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using OpenWop.Micro.Bench.Scheduler;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

var stored = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
var perSecond = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 50;
var seconds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 20;

Console.WriteLine($"{"",-12}{"stored",9}{"slots",8}{"",-10}{"median ms",11}{"p99 ms",9}{"worst ms",10}{"CPU s",8}");
using var folder = new TempFolder();
await MeasureAsync("SQLite", folder.Path, DatabaseOptions.Sqlite(folder.File("scheduler.db"), "scheduler"), []);
await using var postgres = await PostgreSqlServer.StartAsync();
using var other = new TempFolder();
await MeasureAsync("PostgreSQL", other.Path, DatabaseOptions.PostgreSql(postgres.ConnectionString, "scheduler"), [$"--OPENWOP_POSTGRES={postgres.ConnectionString}"]);

async Task MeasureAsync(string name, string path, DatabaseOptions options, string[] settings)
{
    await using (var database = Database.Create(options))
        await Past.StoreAsync(database, stored);

    await using var host = await SchedulerProcess.StartAsync(path, settings);
    await DriveAsync(name, host, "evenly", i => TimeSpan.FromSeconds((double)i / perSecond));
    await DriveAsync(name, host, "at once", _ => TimeSpan.Zero);
}

async Task DriveAsync(string name, SchedulerProcess host, string how, Func<int, TimeSpan> offset)
{
    // Near enough to be in memory, far enough to be stored before.
    var slots = perSecond * seconds;
    var first = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()).AddSeconds(5);
    var schedules = Enumerable.Range(0, slots).Select(i => Past.New(Once(first + offset(i)), $"{how}-{i}", first + offset(i))).ToList();
    var arrivals = host.Expect(slots);
    await host.StoreAsync(schedules);
    var cpu = Process.GetCurrentProcess().TotalProcessorTime;
    await arrivals.Done;
    var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
    var late = schedules
        .Select(schedule => (arrivals.Of(new Fire(schedule.Uid, schedule.Owner, schedule.Id, schedule.NextFireAt!.Value).RequestId) - schedule.NextFireAt.Value).TotalMilliseconds)
        .Order()
        .ToList();
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-12}{stored,9}{slots,8}  {how,-8}{late[slots / 2],11:F1}{late[slots * 99 / 100],9:F1}{late[^1],10:F1}{used,8:F2}"));
}

static byte[] Once(DateTimeOffset at) => Encoding.UTF8.GetBytes($$"""{"workflowId":"w","at":"{{Timestamps.Format(at)}}"}""");
