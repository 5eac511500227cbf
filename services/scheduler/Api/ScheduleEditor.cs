using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Scheduler.Firing;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;

namespace OpenWop.Micro.Scheduler.Api;

/// <summary>Makes schedules and changes them, and sets their clocks.</summary>
internal sealed class ScheduleEditor(ScheduleStore schedules, ScheduleChanges changes, SchedulerOptions options, TimeProvider time)
{
    private const int MaxAttempts = 20;

    /// <summary>Members that say when; a change of one of them sets the clock anew.</summary>
    private static readonly string[] Times = ["cron", "cronFormat", "everyMs", "at", "timezone", "startAt", "endAt", "enabled", "jitterMs"];

    /// <summary>A schedule as a body asks for it, not stored yet.</summary>
    /// <exception cref="ProtocolException">The body is not valid.</exception>
    public Schedule Draft(ScheduleOwner owner, string principal, ReadOnlyMemory<byte> utf8)
    {
        var body = ScheduleReader.Open(utf8);
        var id = ScheduleReader.ReadId(body);
        ScheduleReader.Read(body);
        var now = Now();
        var uid = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var draft = new Schedule(uid, owner, id ?? $"sch-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(10))}", principal, ScheduleReader.Merge(default, body))
        {
            CreatedAt = now,
            UpdatedAt = now,
            SettledUntil = now,
        };
        return SetClock(draft, now);
    }

    /// <exception cref="ProtocolException">The id is taken, or the tenant has too many.</exception>
    public async Task<Schedule> StoreAsync(Schedule draft, CancellationToken cancellationToken)
    {
        switch (await schedules.InsertAsync(draft, options.MaxPerTenant, cancellationToken))
        {
            case StoreOutcome.Taken:
                throw new ProtocolException(ScheduleErrors.Taken);
            case StoreOutcome.Full:
                throw new ProtocolException(ScheduleErrors.LimitReached(options.MaxPerTenant));
            default:
                changes.Tell(draft);
                return draft;
        }
    }

    /// <summary>Changes the members that a body has. A change that meets another one, or a claim, is made on top of it.</summary>
    public async Task<Schedule> ChangeAsync(ScheduleOwner owner, string id, ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken)
    {
        var body = ScheduleReader.Open(utf8);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var before = (ScheduleReader.IsId(id) ? await schedules.FindAsync(owner, id, cancellationToken) : null)
                ?? throw new ProtocolException(ScheduleErrors.NotFound);
            var spec = ScheduleReader.Merge(JsonElement.Parse(before.SpecJson), body);
            ScheduleReader.Read(JsonElement.Parse(spec));
            var now = Now();
            var after = new Schedule(before.Uid, before.Owner, before.Id, before.Principal, spec)
            {
                Revision = before.Revision,
                CreatedAt = before.CreatedAt,
                UpdatedAt = now,
                SettledUntil = before.SettledUntil,
                NextFireAt = before.NextFireAt,
                Delay = before.Delay,
                IsDriven = before.IsDriven,
                LastSlot = before.LastSlot,
                LastFiredAt = before.LastFiredAt,
                LastRunId = before.LastRunId,
            };
            if (Array.Exists(Times, member => body.TryGetProperty(member, out _)))
                after = SetClock(after, now);

            if (await schedules.UpdateAsync(after, cancellationToken) == StoreOutcome.Stored)
            {
                changes.Tell(after);
                return after;
            }
        }

        throw new ProtocolException(new ProtocolError(ErrorCodes.ServiceUnavailable, "The schedule is being changed by others; try again."));
    }

    /// <summary>
    /// From now on: what lies in the past is settled, but for the slot of the minute that has just begun, which is due as long as it
    /// lasts. A clock that ticks have taken over stays where it is.
    /// </summary>
    private static Schedule SetClock(Schedule schedule, DateTimeOffset now)
    {
        if (schedule.IsDriven)
            return schedule;

        var spec = schedule.Spec;
        var rules = spec.Rules(schedule.CreatedAt);
        var grain = (long)rules.Timetable.Grain.TotalMilliseconds;
        var ms = now.ToUnixTimeMilliseconds();
        var from = grain == 0 ? now : DateTimeOffset.FromUnixTimeMilliseconds(ms - (ms % grain) - 1);
        var settled = schedule.LastSlot >= from ? schedule.LastSlot.Value : from;
        var delay = TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32((int)spec.Jitter.TotalMilliseconds + 1));
        return schedule with
        {
            SettledUntil = settled,
            Delay = delay,
            NextFireAt = spec.Enabled ? rules.Next(settled) + delay : null,
        };
    }

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
