using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Runs;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop runs …</c></summary>
internal static class RunsCommands
{
    private const int MaxPage = 200;

    private static readonly Argument<string> Id = new("run") { Description = "Id of the run" };

    public static Command Create() => new("runs", "Runs: what became of them, and what to do with them.")
    {
        List(), Get(), Logs(), Watch(), Cancel(), Pause(), Resume(), Fork(), Resolve(),
    };

    private static Command List()
    {
        var state = new Option<string?>("--state") { Description = "pending, running, sleeping, waiting, completed, failed or canceled" };
        var workflow = new Option<string?>("--workflow") { Description = "Runs of one workflow" };
        var tag = new Option<string?>("--tag") { Description = "Runs with a tag" };
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first (1 to 200)", DefaultValueFactory = _ => 20 };
        var command = new Command("list", "Runs, newest first.") { state, workflow, tag, limit };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var page = await client.Runs.ListAsync(
                result.GetValue(state), result.GetValue(workflow), result.GetValue(tag), result.GetValue(limit), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(page.Data);
            else
            {
                Terminal.Table(
                    ["run", "workflow", "state", "started", "ended"],
                    page.Data.Select(run => new[] { run.Id, run.WorkflowId, run.State, Terminal.Time(run.StartedAt), Terminal.Time(run.EndedAt) }));
                if (page.Next is not null)
                    Terminal.Note($"There are older ones; --limit shows up to {MaxPage}.");
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get()
    {
        var command = new Command("get", "The state of a run.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            if (result.GetValue(Globals.Json))
            {
                Terminal.Json(await client.Runs.GetDocumentAsync(id, cancellationToken));
                return ExitCodes.Ok;
            }

            var run = await client.Runs.GetAsync(id, cancellationToken);
            Terminal.Facts(
                ("run", run.RunId),
                ("workflow", run.WorkflowId),
                ("status", run.Status),
                ("at", run.CurrentNodeId),
                ("started", Terminal.Time(run.StartedAt)),
                ("completed", Terminal.Time(run.CompletedAt)),
                ("error", run.Error is { } error ? $"{error.Code}: {error.Message}" : null),
                ("outputs", run.Outputs is { } outputs ? Terminal.Short(outputs, 400) : null));
            if (run.NodeStates is { ValueKind: JsonValueKind.Object } nodes)
            {
                Terminal.Table(
                    ["node", "status"],
                    nodes.EnumerateObject().Select(node => new[] { node.Name, StatusOf(node.Value) }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Logs()
    {
        var command = new Command("logs", "The attempts at the blocks of a run, oldest first.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var rows = await client.Runs.LogsAsync(result.GetValue(Id)!, cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(rows);
            else
            {
                Terminal.Table(
                    ["started", "step", "status", "took", "error"],
                    rows.Select(row => new[] { Terminal.Time(row.StartedAt), row.StepName, row.Status, Took(row), row.Error?.Message }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Watch()
    {
        var command = new Command("watch", "Show the events of a run from its beginning to its end.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            return await RunWatcher.WatchAsync(client, result.GetValue(Id)!, result.GetValue(Globals.Json), cancellationToken);
        });
        return command;
    }

    private static Command Cancel()
    {
        var reason = new Option<string?>("--reason") { Description = "For the log of the run" };
        var command = new Command("cancel", "Cancel a run.") { Id, reason };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Runs.CancelAsync(result.GetValue(Id)!, result.GetValue(reason), cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Pause()
    {
        var command = new Command("pause", "Keep a run from starting more nodes.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Runs.PauseAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Resume()
    {
        var command = new Command("resume", "Let a paused run go on.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Runs.ResumeAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Fork()
    {
        var mode = new Option<string>("--mode") { Description = "branch lives on, replay repeats what was recorded", DefaultValueFactory = _ => "branch" };
        mode.AcceptOnlyFromAmong("branch", "replay");
        var from = new Option<long?>("--from") { Description = "Sequence where the fork begins" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Watch the fork" };
        var command = new Command("fork", "Make a new run from the history of another one.") { Id, mode, from, watch };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var forked = await client.Runs.ForkAsync(result.GetValue(Id)!, result.GetValue(mode)!, result.GetValue(from), cancellationToken);
            var isJson = result.GetValue(Globals.Json);
            if (result.GetValue(watch))
                return await RunWatcher.WatchAsync(client, forked.RunId, isJson, cancellationToken);

            if (isJson)
                Terminal.Json(forked);
            else
                Console.Out.WriteLine(forked.RunId);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Resolve()
    {
        var node = new Option<string?>("--node") { Description = "The node that waits (default: the one where the run is)" };
        var accept = new Option<bool>("--accept") { Description = "Approve" };
        var reject = new Option<bool>("--reject") { Description = "Reject" };
        var value = new Option<string?>("--value") { Description = "The answer as JSON, or as text" };
        var command = new Command("resolve", "Answer what a run waits for.") { Id, node, accept, reject, value };
        command.SetAction(async (result, cancellationToken) =>
        {
            var answers = new[] { result.GetValue(accept), result.GetValue(reject), result.GetValue(value) is not null }.Count(given => given);
            if (answers != 1)
                throw new CliException(ExitCodes.Usage, "Give one of --accept, --reject and --value.");

            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            var nodeId = result.GetValue(node)
                ?? (await client.Runs.GetAsync(id, cancellationToken)).CurrentNodeId
                ?? throw new CliException(ExitCodes.Conflict, "The run waits at no node; name one with --node.");
            var answer = result.GetValue(value) is { } text
                ? JsonArgument.ValueOf(text)
                : JsonSerializer.SerializeToElement(new { action = result.GetValue(accept) ? "accept" : "reject" });
            await client.Runs.ResolveAsync(id, nodeId, answer, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string? StatusOf(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.String => node.GetString(),
        JsonValueKind.Object when node.TryGetProperty("status", out var status) => status.GetString(),
        _ => null,
    };

    private static string? Took(RunLogEntry row) =>
        row is { StartedAt: { } from, FinishedAt: { } until } ? $"{(until - from).TotalMilliseconds:0} ms" : null;
}
