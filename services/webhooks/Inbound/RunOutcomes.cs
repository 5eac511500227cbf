using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>How a run has ended, as a sender that waits for it is told.</summary>
internal sealed record RunOutcome(string RunId, JsonElement Snapshot)
{
    /// <summary>Members of the run's snapshot that say so.</summary>
    private static readonly string[] Members = ["status", "outputs", "variables", "error"];

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteString("runId"u8, RunId);
        foreach (var member in Members)
        {
            if (Snapshot.TryGetProperty(member, out var value))
            {
                writer.WritePropertyName(member);
                value.WriteTo(writer);
            }
        }
    }
}

/// <summary>Waits for the end of runs.</summary>
internal sealed class RunOutcomes(Runs.RunsClient runs, TimeProvider time)
{
    /// <summary>What a call takes beside the waiting.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    public static ActingFor ActingFor(InboundWebhook webhook) =>
        new() { Tenant = webhook.Owner.Tenant, Test = webhook.Owner.IsTest, Principal = webhook.Principal };

    /// <summary>The outcome of a run, or null when it is not over within the webhook's patience.</summary>
    public async Task<RunOutcome?> WaitAsync(InboundWebhook webhook, string runId, CancellationToken cancellationToken)
    {
        var patience = webhook.Spec.Patience;
        var actingFor = ActingFor(webhook);

        // No event comes after the last one that there can be: only the end of the run ends the wait.
        var page = await runs.ReadEventsAsync(
            new ReadEventsRequest { RunId = runId, AfterSequence = long.MaxValue, WaitMs = (int)patience.TotalMilliseconds, ActingFor = actingFor },
            deadline: time.GetUtcNow().UtcDateTime + patience + Slack,
            cancellationToken: cancellationToken);
        if (!page.Terminal)
            return null;

        var run = await runs.GetRunAsync(
            new GetRunRequest { RunId = runId, ActingFor = actingFor }, deadline: time.GetUtcNow().UtcDateTime + Slack, cancellationToken: cancellationToken);
        return new RunOutcome(runId, JsonElement.Parse(run.Snapshot.Span));
    }
}
