using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>
/// Claims what is due.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>Read the schedules: what was due a moment ago may have been changed, or claimed by somebody else.</item>
/// <item>Decide which slots fire (<see cref="DueSlots"/>).</item>
/// <item>Claim: in one transaction the clocks move and the slots become rows, each the duty to make one run. Only schedules that are still
/// as they were read take part.</item>
/// <item>Make the runs.</item>
/// </list>
/// </remarks>
internal sealed class Firer(ScheduleStore schedules, FireStore fires, RunMaker maker, TimeProvider time)
{
    /// <summary>Claims what is due of these schedules.</summary>
    /// <returns>When each is to be looked at again; null = it has nothing to fire by itself.</returns>
    public async Task<IReadOnlyList<(string Uid, DateTimeOffset? LookAgainAt)>> FireAsync(IReadOnlyCollection<string> uids, CancellationToken cancellationToken)
    {
        // 1.
        var found = await schedules.FindAsync(uids, cancellationToken);

        // 2.
        var now = time.GetUtcNow();
        var next = new List<(string, DateTimeOffset?)>(found.Count);
        var claims = new List<Claim>(found.Count);
        foreach (var schedule in found)
        {
            if (schedule.NextFireAt is { } at && at <= now)
                claims.Add(Decide(schedule, now));
            else
                next.Add((schedule.Uid, schedule.NextFireAt));
        }

        if (claims.Count == 0)
            return next;

        // 3.
        var won = await fires.ClaimAsync(claims, cancellationToken);

        // 4.
        foreach (var claim in claims)
        {
            var uid = claim.Schedule.Uid;
            if (!won.TryGetValue(uid, out var slots))
            {
                // Changed since it was read: whatever it is now, it is due for another look.
                next.Add((uid, now));
                continue;
            }

            next.Add((uid, claim.NextFireAt));
            if (slots.Count > 0)
                maker.Begin(claim.Schedule, slots);
        }

        return next;
    }

    private static Claim Decide(Schedule schedule, DateTimeOffset now)
    {
        var due = DueSlots.Decide(schedule.Spec.Rules(schedule.CreatedAt), schedule.SettledUntil, now - schedule.Delay);
        return new Claim(schedule, due, due.Next + schedule.Delay, IsDriven: false);
    }
}
