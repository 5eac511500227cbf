using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Scheduler.Firing;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Api;

/// <summary>What one tick has found.</summary>
internal sealed record TickReport
{
    public List<Fire> Fired { get; } = [];

    public List<Fire> Failed { get; } = [];

    public int SkippedAlreadyFired { get; set; }

    public int SkippedNotMatching { get; set; }

    public int SkippedExpired { get; set; }

    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            WriteFires(writer, "fired", Fired, "runId", fire => fire.RunId!);
            WriteFires(writer, "failed", Failed, "error", fire => fire.Error ?? "service_unavailable");
            writer.WriteNumber("skippedAlreadyFired"u8, SkippedAlreadyFired);
            writer.WriteNumber("skippedNotMatching"u8, SkippedNotMatching);
            writer.WriteNumber("skippedExpired"u8, SkippedExpired);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteFires(Utf8JsonWriter writer, string name, List<Fire> fires, string member, Func<Fire, string> value)
    {
        writer.WriteStartArray(name);
        foreach (var fire in fires)
        {
            writer.WriteStartObject();
            writer.WriteString("scheduleId"u8, fire.ScheduleId);
            writer.WriteString(member, value(fire));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}

/// <summary>
/// Ticks: somebody asks for what is due now. The scheduler does the same by itself, so a tick may find that everything has happened; it
/// then tells of the current minute's runs all the same, and of each slot only one tick tells.
/// </summary>
/// <remarks>
/// A tick with a time of its own (test seams) takes the clock of the owner's schedules over: from then on only ticks move it, so that
/// days can be played through in seconds. The first such tick may lie in the past.
/// </remarks>
internal sealed class Ticks(ScheduleStore schedules, FireStore fires, RunMaker maker, ScheduleChanges changes, TimeProvider time)
{
    private const int Page = 500;
    private const int MaxAttempts = 100;

    /// <param name="at">The time to act at; null = now.</param>
    public async Task<TickReport> TickAsync(ScheduleOwner owner, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        var minute = Minute(at ?? time.GetUtcNow());
        var report = new TickReport();
        for (var after = ""; ;)
        {
            var page = await schedules.ListAsync(owner, after, Page, cancellationToken);
            if (page.Count > 0)
                await TickAsync(page, minute, isDriven: at is not null, report, cancellationToken);

            if (page.Count < Page)
                return report;

            after = page[^1].Id;
        }
    }

    private async Task TickAsync(List<Schedule> page, DateTimeOffset minute, bool isDriven, TickReport report, CancellationToken cancellationToken)
    {
        var others = new List<Schedule>();
        var making = new List<Task<Fire>>();
        var undecided = page;
        for (var attempt = 0; undecided.Count > 0; attempt++)
        {
            // Somebody else was faster: what it has done is there to be read.
            if (attempt > 0)
            {
                if (attempt > MaxAttempts)
                    throw new ProtocolException(new ProtocolError(ErrorCodes.ServiceUnavailable, "The schedules are being changed by others; try again."));

                undecided = await schedules.FindAsync([.. undecided.Select(schedule => schedule.Uid)], cancellationToken);
            }

            undecided = await DecideAsync(undecided, minute, isDriven, others, making, report, cancellationToken);
        }

        making.AddRange(await OfMinuteAsync(others, minute, report, cancellationToken));
        foreach (var fire in await Task.WhenAll(making))
            await TellAsync(fire, report, cancellationToken);
    }

    /// <returns>Schedules that somebody else has claimed or changed meanwhile.</returns>
    private async Task<List<Schedule>> DecideAsync(
        List<Schedule> candidates, DateTimeOffset minute, bool isDriven, List<Schedule> others, List<Task<Fire>> making, TickReport report, CancellationToken cancellationToken)
    {
        var claims = new List<Claim>();
        foreach (var schedule in candidates)
        {
            if (schedule.Spec.EndAt < minute)
                report.SkippedExpired++;
            else if (!schedule.Spec.Enabled)
                report.SkippedNotMatching++;
            else if (Decide(schedule, minute, isDriven) is { } claim && (claim.Due.Fire.Count > 0 || isDriven))
                claims.Add(claim);
            else
                others.Add(schedule);
        }

        if (claims.Count == 0)
            return [];

        var won = await fires.ClaimAsync(claims, cancellationToken);
        foreach (var claim in claims.Where(claim => won.ContainsKey(claim.Schedule.Uid)))
        {
            changes.Tell(claim.Schedule with { NextFireAt = claim.NextFireAt });
            making.AddRange(won[claim.Schedule.Uid].Select(slot => maker.MakeAsync(claim.Schedule, slot)));
            if (claim.Due.Fire.Count == 0)
                others.Add(claim.Schedule);
        }

        return [.. claims.Where(claim => !won.ContainsKey(claim.Schedule.Uid)).Select(claim => claim.Schedule)];
    }

    /// <summary>Schedules that this tick has not fired: the scheduler, or another tick, may have.</summary>
    private async Task<IEnumerable<Task<Fire>>> OfMinuteAsync(
        List<Schedule> others, DateTimeOffset minute, TickReport report, CancellationToken cancellationToken)
    {
        if (others.Count == 0)
            return [];

        var ofMinute = (await fires.OfMinuteAsync(others[0].Owner, minute, cancellationToken)).ToLookup(fire => fire.Uid, StringComparer.Ordinal);
        var making = new List<Task<Fire>>();
        foreach (var schedule in others)
        {
            var slots = ofMinute[schedule.Uid].ToList();
            if (slots.Count == 0)
                report.SkippedNotMatching++;

            // A slot that is claimed and not made yet is waited for.
            making.AddRange(slots.Select(slot => slot.IsSettled ? Task.FromResult(slot) : maker.MakeAsync(schedule, slot)));
        }

        return making;
    }

    private async Task TellAsync(Fire fire, TickReport report, CancellationToken cancellationToken)
    {
        if (fire.Status == FireStatus.Skipped || fire.IsReported || !await fires.ReportAsync(fire, cancellationToken))
            report.SkippedAlreadyFired++;
        else if (fire.RunId is not null)
            report.Fired.Add(fire);
        else
            report.Failed.Add(fire);
    }

    private Claim Decide(Schedule schedule, DateTimeOffset minute, bool isDriven)
    {
        var rules = schedule.Spec.Rules(schedule.CreatedAt);
        if (!isDriven)
        {
            // A clock that was taken over does not move by itself.
            var now = schedule.IsDriven ? schedule.SettledUntil : time.GetUtcNow() - schedule.Delay;
            var due = DueSlots.Decide(rules, schedule.SettledUntil, now);
            return new Claim(schedule, due, schedule.IsDriven ? null : due.Next + schedule.Delay, schedule.IsDriven);
        }

        var from = schedule.IsDriven || schedule.SettledUntil < minute ? schedule.SettledUntil : minute.AddMilliseconds(-1);
        return new Claim(schedule, DueSlots.Decide(rules, from, minute), NextFireAt: null, IsDriven: true);
    }

    private static DateTimeOffset Minute(DateTimeOffset time)
    {
        var ms = time.ToUnixTimeMilliseconds();
        return DateTimeOffset.FromUnixTimeMilliseconds(ms - (ms % 60_000));
    }
}
