using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Schedules;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop schedules …</c></summary>
internal static class ScheduleCommands
{
    private static readonly Argument<string> Id = new("schedule") { Description = "Id of the schedule" };

    public static Command Create() => new("schedules", "Workflows that run at certain times.") { List(), Get(), Add(), Switch("enable", true), Switch("disable", false), Delete() };

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
                    ["id", "workflow", "cron", "zone", "on", "next", "last"],
                    schedules.Select(schedule => new[]
                    {
                        schedule.Id, schedule.WorkflowId, schedule.Cron, schedule.Timezone, schedule.Enabled == false ? "no" : "yes",
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
        var cron = new Option<string>("--cron") { Description = "Five fields: minute hour day month weekday", Required = true };
        var zone = new Option<string?>("--timezone") { Description = "IANA name (default: UTC)" };
        var input = new Option<string[]>("--input", "-i") { Description = "name=value, a JSON object, or @file", DefaultValueFactory = _ => [] };
        var misfire = new Option<string?>("--misfire") { Description = "What becomes of times that were missed: skip or fire_once" };
        misfire.AcceptOnlyFromAmong("skip", "fire_once");
        var command = new Command("add", "Run a workflow at certain times.") { workflow, cron, zone, input, misfire };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var made = await client.Schedules.CreateAsync(
                new Schedule
                {
                    WorkflowId = result.GetValue(workflow)!,
                    Cron = result.GetValue(cron)!,
                    Timezone = result.GetValue(zone),
                    Payload = await JsonArgument.InputAsync(result.GetValue(input)!, cancellationToken),
                    MisfirePolicy = result.GetValue(misfire),
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
            Terminal.Facts(("schedule", schedule.Id), ("workflow", schedule.WorkflowId), ("cron", schedule.Cron), ("next", Terminal.Time(schedule.NextRunAt) ?? "never"));
    }
}
