using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Identities of spans that outlive processes. A run may begin in one process and end in another one, months later; what belongs to it
/// must name its span long before that span can be written. So the id of a span is not chance but a digest of what it stands for.
/// </summary>
internal static class SpanIdentity
{
    /// <summary>Id of the span <c>openwop.run</c>.</summary>
    public static ActivitySpanId OfRun(string runId) => Digest(runId);

    /// <summary>Id of the span of one attempt.</summary>
    public static ActivitySpanId OfAttempt(string runId, string nodeId, int iteration, int attempt) =>
        Digest(string.Create(CultureInfo.InvariantCulture, $"{runId}\n{nodeId}\n{iteration}\n{attempt}"));

    /// <summary>The trace that a run belongs to, seen from inside: spans with this parent are children of the run's span. Null = none is kept.</summary>
    public static ActivityContext? WithinRun(string runId, RunOptions options) =>
        Parse(options.Traceparent) is { } outside ? new ActivityContext(outside.TraceId, OfRun(runId), outside.TraceFlags) : null;

    /// <summary>The trace context that an attempt hands on, to other services and to runs that it starts. Null = none is kept.</summary>
    public static ActivityContext? WithinAttempt(string runId, RunOptions options, string nodeId, int iteration, int attempt) =>
        Parse(options.Traceparent) is { } outside ? new ActivityContext(outside.TraceId, OfAttempt(runId, nodeId, iteration, attempt), outside.TraceFlags) : null;

    /// <summary>A W3C trace context; null when it is none.</summary>
    public static ActivityContext? Parse(string? traceparent) => ActivityContext.TryParse(traceparent, null, isRemote: true, out var context) ? context : null;

    public static string Format(ActivityContext context) =>
        $"00-{context.TraceId.ToHexString()}-{context.SpanId.ToHexString()}-{((context.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? "01" : "00")}";

    /// <summary>A trace for a run that nobody has given one.</summary>
    public static string NewTraceparent() => Format(new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded));

    private static ActivitySpanId Digest(string text) => ActivitySpanId.CreateFromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
