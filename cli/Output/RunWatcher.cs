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
            await Terminal.Error.Status().Spinner(Spinner.Known.Dots).StartAsync(
                "starting", context => ShowAsync(client, runId, doing => context.Status(Markup.Escape(doing)), cancellationToken));
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

    private static async Task ShowAsync(OpenWopClient client, string runId, Action<string> doing, CancellationToken cancellationToken)
    {
        var (done, active) = (0, new HashSet<string>(StringComparer.Ordinal));
        await foreach (var runEvent in client.Runs.StreamAsync(runId, StreamMode.Debug, cancellationToken: cancellationToken))
        {
            if (runEvent.NodeId is { } node)
            {
                if (runEvent.Type == "node.started")
                    active.Add(node);
                else if (runEvent.Type is "node.completed" or "node.failed" or "node.skipped" && active.Remove(node))
                    done++;
            }

            if (IsWorthALine(runEvent.Type))
                Terminal.Error.MarkupLine(Line(runEvent));
            doing($"{done} done{(active.Count == 0 ? "" : ", now " + string.Join(", ", active.Order().Take(5)))}");
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
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[dim]{runEvent.Timestamp:HH:mm:ss.fff}[/]  [{color}]{runEvent.Type,-20}[/] {Markup.Escape(Terminal.Visible(runEvent.NodeId ?? "")),-16} [dim]{Markup.Escape(Terminal.Visible(Detail(runEvent)))}[/]").TrimEnd();
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
