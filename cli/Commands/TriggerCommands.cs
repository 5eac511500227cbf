using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Triggers;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop triggers …</c></summary>
internal static class TriggerCommands
{
    private static readonly Argument<string> Id = new("trigger") { Description = "Id of the trigger" };

    public static Command Create() => new("triggers", "Workflows that run when something happens in other runs.")
    {
        List(),
        Show("get", "A trigger.", (client, id, cancellationToken) => client.GetAsync(id, cancellationToken)),
        Add(),
        Show("pause", "Start nothing until it is resumed.", (client, id, cancellationToken) => client.PauseAsync(id, cancellationToken)),
        Show("resume", "Go on with what happens from now on.", (client, id, cancellationToken) => client.ResumeAsync(id, cancellationToken)),
        Firings(),
        Replay(),
        Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "All triggers.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var triggers = await client.Triggers.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(triggers);
            else
                Terminal.Table(["id", "workflow", "on", "state"], triggers.Select(trigger => new[] { trigger.Id, trigger.WorkflowId, Describe(trigger.On), trigger.State }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Add()
    {
        var workflow = new Argument<string>("workflow") { Description = "Id of the workflow that runs" };
        var events = new Option<string[]>("--event") { Description = "A type of events of runs, such as run.completed", DefaultValueFactory = _ => [] };
        var channel = new Option<string?>("--channel") { Description = "Instead of events: writes to this channel" };
        var of = new Option<string?>("--of") { Description = "Only runs of this workflow" };
        var tags = new Option<string[]>("--tag") { Description = "Only runs that have the tag", DefaultValueFactory = _ => [] };
        var input = new Option<string[]>("--input", "-i") { Description = "name=source, such as order=event:/payload/outputs/order", DefaultValueFactory = _ => [] };
        var rate = new Option<int?>("--rate") { Description = "At most so many runs per minute (default: 600)" };
        var command = new Command("add", "Run a workflow when something happens in other runs.") { workflow, events, channel, of, tags, input, rate };
        command.SetAction(async (result, cancellationToken) =>
        {
            var types = result.GetValue(events)!;
            if (types.Length == 0 == (result.GetValue(channel) is null))
                throw new CliException(ExitCodes.Usage, "Give either --event or --channel.");

            using var client = Globals.Connect(result);
            var made = await client.Triggers.CreateAsync(
                new Trigger
                {
                    WorkflowId = result.GetValue(workflow)!,
                    On = new TriggerSource
                    {
                        Events = types.Length == 0 ? null : types,
                        Channel = result.GetValue(channel),
                        WorkflowId = result.GetValue(of),
                        Tags = result.GetValue(tags) is { Length: > 0 } only ? only : null,
                    },
                    Inputs = await JsonArgument.InputAsync(result.GetValue(input)!, cancellationToken),
                    RatePerMinute = result.GetValue(rate),
                },
                cancellationToken);
            Print(result, made);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Firings()
    {
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first (1 to 200)", DefaultValueFactory = _ => 20 };
        var command = new Command("firings", "What became of the events of a trigger, newest first.") { Id, limit };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var page = await client.Triggers.FiringsAsync(result.GetValue(Id)!, result.GetValue(limit), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(page.Data);
            else
            {
                Terminal.Table(
                    ["firing", "time", "event", "of", "status", "run", "reason"],
                    page.Data.Select(firing => new[]
                    {
                        firing.Id, Terminal.Time(firing.CreatedAt), Member(firing.Source, "type"), Member(firing.Source, "runId"), firing.Status, firing.RunId, firing.Reason,
                    }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Replay()
    {
        var firing = new Argument<string>("firing") { Description = "Id of the firing" };
        var command = new Command("replay", "Try a firing that has failed once more.") { Id, firing };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var replayed = await client.Triggers.ReplayAsync(result.GetValue(Id)!, result.GetValue(firing)!, cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(replayed);
            else
                Terminal.Facts(("firing", replayed.Id), ("status", replayed.Status));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a trigger.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Triggers.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A command that ends with a look at the trigger.</summary>
    private static Command Show(string name, string description, Func<TriggersClient, string, CancellationToken, Task<Trigger>> act)
    {
        var command = new Command(name, description) { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Print(result, await act(client.Triggers, result.GetValue(Id)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Print(ParseResult result, Trigger trigger)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(trigger);
        else
        {
            Terminal.Facts(
                ("trigger", trigger.Id), ("workflow", trigger.WorkflowId), ("on", Describe(trigger.On)),
                ("inputs", trigger.Inputs is { } inputs ? Terminal.Short(inputs, 200) : null), ("state", trigger.State));
        }
    }

    private static string Describe(TriggerSource on) =>
        (on.Channel is { } channel ? $"channel {channel}" : string.Join(' ', on.Events ?? []))
        + (on.WorkflowId is { } workflow ? $" of {workflow}" : "")
        + (on.Tags is { Count: > 0 } tags ? $" tagged {string.Join(' ', tags)}" : "");

    private static string? Member(JsonElement source, string name) => source.TryGetProperty(name, out var value) ? Terminal.Short(value) : null;
}
