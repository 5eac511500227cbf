using System.Globalization;
using OpenWop.Micro.Client;
using OpenWop.Micro.Client.Runs;
using Spectre.Console;

namespace OpenWop.Micro.Cli.Output;

/// <summary>Shows the events of a run as they come: a line each, and below them on a terminal what is being done.</summary>
internal static class RunWatcher
{
    /// <summary>Follows a run to its end.</summary>
    /// <returns>Zero, or the code of a run that ended badly.</returns>
    public static async Task<int> WatchAsync(OpenWopClient client, string runId, bool isJson, CancellationToken cancellationToken)
    {
        if (isJson)
        {
            await foreach (var runEvent in client.Runs.StreamAsync(runId, StreamMode.Updates, cancellationToken: cancellationToken))
                Terminal.JsonLine(runEvent);
        }
        else if (Terminal.Error.Profile.Capabilities.Interactive)
        {
            var total = await CountNodesAsync(client, runId, cancellationToken);
            await Terminal.Error.Status().Spinner(Spinner.Known.Dots).StartAsync(
                "starting", context => ShowAsync(client, runId, progress => context.Status(Markup.Escape(progress.Describe(total))), cancellationToken));
        }
        else
        {
            await ShowAsync(client, runId, static _ => { }, cancellationToken);
        }

        var document = await client.Runs.GetDocumentAsync(runId, cancellationToken);
        var run = await client.Runs.GetAsync(runId, cancellationToken);
        if (isJson)
            Terminal.JsonLine(document);
        else
            ShowEnd(run);

        return run.Status == "completed" ? ExitCodes.Ok : ExitCodes.RunFailed;
    }

    private static async Task ShowAsync(OpenWopClient client, string runId, Action<RunProgress> show, CancellationToken cancellationToken)
    {
        var progress = new RunProgress();
        await foreach (var runEvent in client.Runs.StreamAsync(runId, StreamMode.Debug, cancellationToken: cancellationToken))
        {
            progress.Take(runEvent);
            if (IsWorthALine(runEvent.Type))
                Terminal.Error.MarkupLine(Line(runEvent));
            show(progress);
        }
    }

    /// <summary>How many nodes the workflow has now; null when that cannot be learned. The run may be of an older version: a hint, no promise.</summary>
    private static async Task<int?> CountNodesAsync(OpenWopClient client, string runId, CancellationToken cancellationToken)
    {
        try
        {
            var run = await client.Runs.GetAsync(runId, cancellationToken);
            var definition = await client.Workflows.GetDefinitionAsync(run.WorkflowId, cancellationToken);
            return definition.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == System.Text.Json.JsonValueKind.Array ? nodes.GetArrayLength() : null;
        }
        catch (OpenWopException)
        {
            return null; // A key that may not read workflows, or one that is gone.
        }
    }

    /// <summary>The log holds bookkeeping too, which is for <c>--json</c> and debugging.</summary>
    private static bool IsWorthALine(string type) =>
        type.StartsWith("run.", StringComparison.Ordinal)
        || type is "node.completed" or "node.failed" or "node.skipped" or "node.retried" or "node.suspended" or "approval.requested" or "interrupt.requested"
            or "interrupt.resolved" or "approval.received" or "clarification.requested";

    private static string Line(RunEvent runEvent)
    {
        var color = runEvent.Type switch
        {
            "run.failed" or "node.failed" or "run.cancelled" => "red",
            "run.completed" or "node.completed" => "green",
            "node.suspended" or "approval.requested" or "interrupt.requested" or "node.retried" => "yellow",
            _ => "default",
        };
        var line = string.Create(
            CultureInfo.InvariantCulture, $"[dim]{runEvent.Timestamp:HH:mm:ss.fff}[/]  [{color}]{runEvent.Type,-20}[/] {Markup.Escape(Terminal.Visible(runEvent.NodeId ?? "")),-16}");
        return Detail(runEvent) is { Length: > 0 } detail ? $"{line} [dim]{Markup.Escape(Terminal.Visible(detail))}[/]" : line.TrimEnd();
    }

    private static string Detail(RunEvent runEvent)
    {
        if (runEvent.Payload.ValueKind != System.Text.Json.JsonValueKind.Object)
            return "";

        foreach (var name in new[] { "error", "outputs", "output", "workflowId", "reason", "prompt" })
        {
            if (runEvent.Payload.TryGetProperty(name, out var value))
                return Terminal.Short(value, 120);
        }

        return "";
    }

    private static void ShowEnd(RunSnapshot run)
    {
        if (run.Status != "completed")
        {
            Terminal.Facts(("run", run.RunId), ("status", run.Status), ("error", run.Error?.Code), ("message", run.Error?.Message));
            return;
        }

        if (run.Outputs is { } outputs)
            Terminal.Json(outputs);
        else
            Terminal.Facts(("run", run.RunId), ("status", run.Status));
    }
}
