using System.Text;
using OpenWop.Micro.Scheduler;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Bench.Scheduler;

/// <summary>Schedules that are there already, and have nothing to do for now.</summary>
internal static class Past
{
    private const int AtOnce = 5_000;

    public static async Task StoreAsync(Database database, int count)
    {
        await Migrations.ApplyAsync(database, typeof(SchedulerHosting).Assembly, CancellationToken.None);
        var store = new ScheduleStore(database);
        var daily = Encoding.UTF8.GetBytes("""{"workflowId":"w","cron":"0 3 * * *","timezone":"Europe/Berlin","payload":{"customer":1}}""");
        var far = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.AddHours(2).ToUnixTimeMilliseconds());
        for (var from = 0; from < count; from += AtOnce)
        {
            await store.InsertManyAsync(
                Enumerable.Range(from, Math.Min(AtOnce, count - from)).Select(i => New(daily, $"s{i}", far.AddSeconds(i % 80_000))), CancellationToken.None);
        }
    }

    public static Schedule New(byte[] spec, string id, DateTimeOffset nextFireAt)
    {
        var now = DateTimeOffset.UtcNow;
        return new Schedule(Guid.NewGuid().ToString("N"), new ScheduleOwner("tenant-" + id[^1], IsTest: false), id, "somebody", spec)
        {
            CreatedAt = now,
            UpdatedAt = now,
            SettledUntil = now,
            NextFireAt = nextFireAt,
        };
    }
}
