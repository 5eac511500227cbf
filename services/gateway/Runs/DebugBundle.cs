using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Discovery;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>
/// <c>GET /v1/runs/{runId}/debug-bundle</c>: snapshot and log of one run in one document that can be handed on
/// (spec/runs-streams-replay.md 10). What is sensitive was masked before it was stored, so the bundle holds what any reader of the
/// run sees.
/// </summary>
internal sealed class DebugBundle(Contracts.Runs.V1.Runs.RunsClient runs, TimeProvider time)
{
    /// <summary>Bytes of events that a bundle holds at most; the log is cut to a prefix.</summary>
    public const int MaxEventBytes = 8 * 1024 * 1024;

    private const int PageSize = 500;
    private const int MaxEvents = 1_000_000;
    private const string CutToSize = "events_truncated_to_size_cap";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RunOperations.RequireRunId(call.ResourceId);
        var maxEvents = ReadMaxEvents(call.Query("maxEvents"));
        var snapshot = await runs.GetRunAsync(new GetRunRequest { RunId = runId }, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        var (events, isCut) = await ReadEventsAsync(call, runId, maxEvents, cancellationToken);
        return Answer.Json(StatusCodes.Status200OK, Write(snapshot.Snapshot.Memory, events, isCut)) with { CacheControl = "no-store" };
    }

    private async Task<(List<ByteString> Events, bool IsCut)> ReadEventsAsync(OperationCall call, string runId, int maxEvents, CancellationToken cancellationToken)
    {
        var events = new List<ByteString>();
        var bytes = 0L;
        while (true)
        {
            var request = new ReadEventsRequest { RunId = runId, Limit = PageSize };
            if (events.Count > 0)
                request.AfterSequence = events.Count - 1;
            var page = await runs.ReadEventsAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
            foreach (var document in page.Events)
            {
                bytes += document.Length;
                if (events.Count == maxEvents || bytes > MaxEventBytes)
                    return (events, IsCut: true);

                events.Add(document);
            }

            if (page.Events.Count < PageSize)
                return (events, IsCut: false);
        }
    }

    private ReadOnlyMemory<byte> Write(ReadOnlyMemory<byte> snapshot, List<ByteString> events, bool isCut)
    {
        using var run = JsonDocument.Parse(snapshot);
        var output = new ArrayBufferWriter<byte>(snapshot.Length + events.Sum(document => document.Length) + 1024);
        using var json = new Utf8JsonWriter(output, Writing);
        json.WriteStartObject();
        json.WriteString("bundleVersion", "1.0");
        json.WriteString("generatedAt", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        WriteHost(json);
        WriteRun(json, run.RootElement);
        json.WriteStartArray("events");
        foreach (var document in events)
            json.WriteRawValue(document.Span, skipInputValidation: true);
        json.WriteEndArray();
        json.WriteStartArray("spans");
        json.WriteEndArray();
        WriteMetrics(json, run.RootElement, events.Count);
        json.WriteBoolean("redactionApplied", true);
        json.WriteString("redactionMode", "mask");
        if (isCut)
        {
            json.WriteBoolean("truncated", true);
            json.WriteString("truncatedReason", CutToSize);
        }

        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    private static void WriteHost(Utf8JsonWriter json)
    {
        var implementation = ServerCapabilities.Implementation;
        json.WriteStartObject("host");
        json.WriteString("name", implementation.Name);
        json.WriteString("version", implementation.Version);
        if (implementation.Vendor is { } vendor)
            json.WriteString("vendor", vendor);
        json.WriteEndObject();
    }

    /// <summary>The snapshot as it is, but for the status: the schema of bundles knows fewer than there are (same document, 12, trap 8).</summary>
    private static void WriteRun(Utf8JsonWriter json, JsonElement run)
    {
        json.WriteStartObject("run");
        foreach (var member in run.EnumerateObject().Where(member => member.Name is not ("status" or "interrupt")))
            member.WriteTo(json);
        json.WriteString("status", run.GetProperty("status").GetString() switch
        {
            RunStatuses.WaitingInput => "waiting-clarification",
            RunStatuses.WaitingExternal => RunStatuses.WaitingApproval,
            RunStatuses.Paused or RunStatuses.Cancelling => RunStatuses.Running,
            var status => status,
        });
        json.WriteEndObject();
    }

    private static void WriteMetrics(Utf8JsonWriter json, JsonElement run, int eventCount)
    {
        json.WriteStartObject("metrics");
        json.WritePropertyName("openwopCost");
        if (run.TryGetProperty("metrics", out var metrics) && metrics.TryGetProperty("openwopCost", out var cost))
            cost.WriteTo(json);
        else
            json.WriteNullValue();
        json.WriteNumber("nodeCount", run.TryGetProperty("nodeStates", out var nodes) ? nodes.EnumerateObject().Count() : 0);
        json.WriteNumber("eventCount", eventCount);
        json.WriteEndObject();
    }

    private static int ReadMaxEvents(string? value) =>
        value is null ? MaxEvents
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= MaxEvents ? number
        : throw new ProtocolException(ProtocolError.Validation($"maxEvents must be a whole number from 1 to {MaxEvents}.", "maxEvents"));
}
