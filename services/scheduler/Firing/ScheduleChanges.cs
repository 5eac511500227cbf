using System.Text;
using OpenWop.Micro.Events;
using OpenWop.Micro.Scheduler.Schedules;

namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>
/// Tells whoever looks after a schedule that its next time has changed. The instance that has stored the change keeps an eye on it as
/// well: a claim is good once, whoever makes it, so nothing depends on the message arriving.
/// </summary>
internal sealed class ScheduleChanges(IEventBus bus, DueQueue queue)
{
    public const string Topic = "schedules";

    public void Tell(Schedule schedule)
    {
        queue.Set(schedule.Uid, schedule.NextFireAt);
        if (schedule.NextFireAt is { } next)
            bus.Publish(new BusMessage(Topic, next.ToUnixTimeMilliseconds(), Encoding.ASCII.GetBytes(schedule.Uid)));
    }

    public static (string Uid, DateTimeOffset NextFireAt) Read(in BusMessage message) =>
        (Encoding.ASCII.GetString(message.Payload.Span), DateTimeOffset.FromUnixTimeMilliseconds(message.Position));
}
