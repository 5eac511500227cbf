using System.CommandLine;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Runs;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop run</c>: start a run, and watch it.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var workflow = new Argument<string>("workflow") { Description = "Id of the workflow" };
        var input = new Option<string[]>("--input", "-i") { Description = "name=value, a JSON object, or @file; several are put together", AllowMultipleArgumentsPerToken = false, DefaultValueFactory = _ => [] };
        var tag = new Option<string[]>("--tag") { Description = "A tag to find the run by", DefaultValueFactory = _ => [] };
        var key = new Option<string?>("--idempotency-key") { Description = "The same key is the same run, however often it is started" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Show the events as they come, and wait for the end" };
        var command = new Command("run", "Start a run.") { workflow, input, tag, key, watch };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var tags = result.GetValue(tag)!;
            var run = new NewRun
            {
                WorkflowId = result.GetValue(workflow)!,
                Inputs = await JsonArgument.InputAsync(result.GetValue(input)!, cancellationToken),
                Tags = tags.Length == 0 ? null : tags,
            };
            var created = await client.Runs.CreateAsync(run, result.GetValue(key), cancellationToken);
            var isJson = result.GetValue(Globals.Json);
            if (result.GetValue(watch))
            {
                if (!isJson)
                    Terminal.Note($"Run {created.RunId}");
                return await RunWatcher.WatchAsync(client, created.RunId, isJson, cancellationToken);
            }

            if (isJson)
                Terminal.Json(created);
            else
                Console.Out.WriteLine(created.RunId);
            return ExitCodes.Ok;
        });
        return command;
    }
}
