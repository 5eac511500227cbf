using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>Follows a run's events to the end; a stream that breaks is resumed at the other gateway with Last-Event-ID.</summary>
internal static class Follower
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <returns>All events in the order in which they came, and how often the stream was resumed.</returns>
    /// <param name="arrived">Called with each event as it comes.</param>
    public static async Task<(List<JsonElement> Events, int Resumptions)> FollowAsync(Gateways gateways, string runId, uint first, Action<JsonElement>? arrived = null)
    {
        List<JsonElement> events = [];
        string? lastEventId = null;
        using var limit = new CancellationTokenSource(Patience);
        for (uint attempt = 0; ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/runs/{runId}/events?streamMode=debug");
                request.Headers.Accept.ParseAdd("text/event-stream");
                if (lastEventId is not null)
                    request.Headers.Add("Last-Event-ID", lastEventId);
                using var response = await gateways.Client(first + attempt).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                if (!response.IsSuccessStatusCode)
                    throw new IOException($"{(int)response.StatusCode}");

                await foreach (var frame in SseParser.Create(await response.Content.ReadAsStreamAsync(limit.Token)).EnumerateAsync(limit.Token))
                {
                    lastEventId = frame.EventId;
                    events.Add(JsonElement.Parse(frame.Data));
                    arrived?.Invoke(events[^1]);
                    if (IsTerminal(frame.EventType))
                        return (events, (int)attempt);
                }

                // The end without a terminal event: the gateway is going away.
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is TaskCanceledException && !limit.IsCancellationRequested))
            {
                // Broken, or nobody there.
            }

            if (limit.IsCancellationRequested)
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"{runId} does not end; {events.Count} events, last {events.LastOrDefault()}"));

            await Task.Delay(50, limit.Token);
        }
    }

    public static bool IsTerminal(string? type) => type is "run.completed" or "run.failed" or "run.cancelled";
}
