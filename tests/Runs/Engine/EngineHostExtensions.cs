using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>What tests ask a host for.</summary>
internal static class EngineHostExtensions
{
    public static async Task<JsonElement> SnapshotAsync(this EngineHost host, string runId) =>
        JsonElement.Parse((await host.Client.GetRunAsync(new GetRunRequest { RunId = runId }, host.Headers)).Snapshot.Span);

    /// <summary>The snapshot once it satisfies a condition.</summary>
    public static async Task<JsonElement> SnapshotAsync(this EngineHost host, string runId, Func<JsonElement, bool> condition)
    {
        JsonElement snapshot = default;
        await Eventually.TrueAsync(async () => condition(snapshot = await host.SnapshotAsync(runId)), $"condition on run {runId}");
        return snapshot;
    }

    public static Task<JsonElement> SnapshotAsync(this EngineHost host, string runId, string status) =>
        host.SnapshotAsync(runId, snapshot => snapshot.GetProperty("status").ValueEquals(status));

    /// <summary>The log once the run is over.</summary>
    public static async Task<List<JsonElement>> LogAsync(this EngineHost host, string runId) =>
        [.. (await host.WaitForEndAsync(runId)).Events.Select(@event => JsonElement.Parse(@event.Span))];

    /// <summary>The log so far.</summary>
    public static async Task<List<JsonElement>> EventsAsync(this EngineHost host, string runId) =>
        [.. (await host.Client.ReadEventsAsync(new ReadEventsRequest { RunId = runId }, host.Headers)).Events.Select(@event => JsonElement.Parse(@event.Span))];
}
