using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Schedules;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop schedules …</c></summary>
internal static class ScheduleCommands
{
    private static readonly Argument<string> Id = new("schedule") { Description = "Id of the schedule" };

    public static Command Create() => new("schedules", "Workflows that run at certain times.")
    {
        List(), Get(), Add(), Switch("enable", true), Switch("disable", false), Preview(), Fires(), Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "All schedules.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var schedules = await client.Schedules.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(schedules);
            else
            {
                Terminal.Table(
                    ["id", "workflow", "when", "zone", "on", "next", "last"],
                    schedules.Select(schedule => new[]
                    {
                        schedule.Id, schedule.WorkflowId, When(schedule), schedule.Timezone, schedule.Enabled == false ? "no" : "yes",
                        Terminal.Time(schedule.NextRunAt), Terminal.Time(schedule.LastFiredAt),
                    }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get()
    {
        var command = new Command("get", "A schedule as JSON.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Terminal.Json(await client.Schedules.GetAsync(result.GetValue(Id)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Add()
    {
        var workflow = new Argument<string>("workflow") { Description = "Id of the workflow" };
        var cron = new Option<string?>("--cron") { Description = "Five fields: minute hour day month weekday" };
        var every = new Option<int?>("--every") { Description = "Every so many seconds" };
        var at = new Option<DateTimeOffset?>("--at") { Description = "Once, at this time" };
        var zone = new Option<string?>("--timezone") { Description = "IANA name (default: UTC)" };
        var input = new Option<string[]>("--input", "-i") { Description = "name=value, a JSON object, or @file", DefaultValueFactory = _ => [] };
        var misfire = new Option<string?>("--misfire") { Description = "What becomes of times that were missed: skip (the default), fire_once or fire_all" };
        misfire.AcceptOnlyFromAmong("skip", "fire_once", "fire_all");
        var overlap = new Option<string?>("--overlap") { Description = "What happens while the run before is not over: allow (the default), skip or cancel_previous" };
        overlap.AcceptOnlyFromAmong("allow", "skip", "cancel_previous");
        var id = new Option<string?>("--id") { Description = "Id of the schedule (default: the server makes one)" };
        var command = new Command("add", "Run a workflow at certain times.") { workflow, cron, every, at, zone, input, misfire, overlap, id };
        command.SetAction(async (result, cancellationToken) =>
        {
            if (new[] { result.GetValue(cron) is not null, result.GetValue(every) is not null, result.GetValue(at) is not null }.Count(given => given) != 1)
                throw new CliException(ExitCodes.Usage, "Give one of --cron, --every and --at.");

            using var client = Globals.Connect(result);
            var made = await client.Schedules.CreateAsync(
                new Schedule
                {
                    WorkflowId = result.GetValue(workflow)!,
                    Id = result.GetValue(id),
                    Cron = result.GetValue(cron),
                    EveryMs = result.GetValue(every) * 1000L,
                    At = result.GetValue(at),
                    Timezone = result.GetValue(zone),
                    Payload = await JsonArgument.InputAsync(result.GetValue(input)!, cancellationToken),
                    MisfirePolicy = result.GetValue(misfire),
                    OverlapPolicy = result.GetValue(overlap),
                },
                cancellationToken);
            Show(result, made);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Switch(string name, bool enabled)
    {
        var command = new Command(name, enabled ? "Let a schedule fire again." : "Keep a schedule from firing.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.Schedules.ChangeAsync(result.GetValue(Id)!, JsonSerializer.SerializeToElement(new { enabled }), cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Preview()
    {
        var count = new Option<int>("--count", "-n") { Description = "So many (1 to 100)", DefaultValueFactory = _ => 5 };
        var command = new Command("preview", "The next times of a schedule.") { Id, count };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var slots = await client.Schedules.PreviewAsync(result.GetValue(Id)!, result.GetValue(count), cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(slots);
            else
                Terminal.Table(["next"], slots.Select(slot => new[] { Terminal.Time(slot) }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Fires()
    {
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first (1 to 200)", DefaultValueFactory = _ => 20 };
        var command = new Command("fires", "What became of the times of a schedule, newest first.") { Id, limit };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var page = await client.Schedules.FiresAsync(result.GetValue(Id)!, result.GetValue(limit), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(page.Data);
            else
                Terminal.Table(["time", "status", "run", "error"], page.Data.Select(fire => new[] { Terminal.Time(fire.Slot), fire.Status, fire.RunId, fire.Error }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a schedule.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Schedules.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Show(ParseResult result, Schedule schedule)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(schedule);
        else
            Terminal.Facts(("schedule", schedule.Id), ("workflow", schedule.WorkflowId), ("when", When(schedule)), ("next", Terminal.Time(schedule.NextRunAt) ?? "never"));
    }
    private static string? When(Schedule schedule) => schedule switch
    {
        { EveryMs: { } milliseconds } => string.Create(CultureInfo.InvariantCulture, $"every {milliseconds / 1000.0} s"),
        { At: { } time } => "at " + Terminal.Time(time),
        _ => schedule.Cron,
    };
}
