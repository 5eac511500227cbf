using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Standalone.Demo;

/// <summary>The sample run, as any client of the protocol would do it: store, create, follow, read.</summary>
internal sealed class DemoRun(HttpClient client, TextWriter output)
{
    /// <summary>The body that creates the run.</summary>
    public const string CreateBody = """{"workflowId":"demo-order","inputs":{"order":{"item":"teapot","quantity":2}}}""";

    private const string WorkflowId = "demo-order";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await StoreAsync(cancellationToken);
        var run = await CreateAsync(cancellationToken);
        await output.WriteLineAsync($"Run {run.GetProperty("runId").GetString()} of {WorkflowId}:");
        await output.WriteLineAsync();
        await FollowAsync(run.GetProperty("eventsUrl").GetString()!, cancellationToken);
        await ShowAsync(run.GetProperty("statusUrl").GetString()!, cancellationToken);
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        using var definition = new StreamContent(typeof(DemoRun).Assembly.GetManifestResourceStream("demo.order.json")!) { Headers = { ContentType = new("application/json") } };
        using var response = await client.PutAsync(new Uri($"/v1/workflows/{WorkflowId}", UriKind.Relative), definition, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private async Task<JsonElement> CreateAsync(CancellationToken cancellationToken)
    {
        using var body = new StringContent(CreateBody, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/v1/runs", UriKind.Relative), body, cancellationToken);
        response.EnsureSuccessStatusCode();
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    /// <summary>Prints every event as it arrives, with the time since the first one.</summary>
    private async Task FollowAsync(string url, CancellationToken cancellationToken)
    {
        await using var stream = await client.GetStreamAsync(new Uri(url + "?streamMode=debug"), cancellationToken);
        DateTimeOffset? first = null;
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            var document = JsonElement.Parse(item.Data);
            var at = document.GetProperty("timestamp").GetDateTimeOffset();
            first ??= at;
            var node = document.TryGetProperty("nodeId", out var nodeId) ? nodeId.GetString() : "";
            var elapsed = ((at - first.Value).TotalMilliseconds / 1000).ToString("0.000", CultureInfo.InvariantCulture);
            await output.WriteLineAsync($"  {elapsed,7} s  {item.EventType,-18} {node,-8} {Note(document.GetProperty("payload"))}".TrimEnd());
        }
    }

    private async Task ShowAsync(string url, CancellationToken cancellationToken)
    {
        var snapshot = JsonElement.Parse(await client.GetByteArrayAsync(new Uri(url), cancellationToken));
        await output.WriteLineAsync();
        await output.WriteLineAsync($"Status {snapshot.GetProperty("status").GetString()}, variables {snapshot.GetProperty("variables").GetRawText()}");
    }

    /// <summary>What is worth a word in an event.</summary>
    private static string Note(JsonElement payload)
    {
        if (payload.ValueKind != JsonValueKind.Object)
            return "";

        if (payload.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
            return error.GetProperty("message").GetString() ?? "";

        return payload.TryGetProperty("outputs", out var outputs) ? outputs.GetRawText() : "";
    }
}
