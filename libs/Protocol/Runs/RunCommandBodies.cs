using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>The body of <c>POST /v1/runs/{runId}/cancel</c>: optional, and the one body that may hold unknown members.</summary>
/// <param name="Reason">At most 512 characters; may be empty.</param>
public sealed record CancelRunBody(string? Reason)
{
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out CancelRunBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = RequestReader.TryOpen(utf8, isOptional: true, out var reader, out error)
            ? new CancelRunBody(reader.Text("reason", RunOptionLimits.MaxReasonLength, minLength: 0))
            : null;
        return reader.Decide(ref body, ref error);
    }
}

/// <summary>When a pause takes effect (spec/http-core.md 3.6).</summary>
public enum DrainPolicy
{
    /// <summary>Between two events.</summary>
    Immediate,

    /// <summary>When the running node has completed, failed or suspended.</summary>
    DrainCurrentNode,
}

/// <summary>The body of <c>POST /v1/runs/{runId}:pause</c>; optional and closed.</summary>
public sealed record PauseRunBody(string? Reason, DrainPolicy DrainPolicy)
{
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out PauseRunBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: true, out var reader, out error))
        {
            reader.RequireOnly("reason", "drainPolicy");
            body = new PauseRunBody(
                reader.Text("reason", RunOptionLimits.MaxReasonLength, minLength: 0),
                reader.Choice("drainPolicy", "immediate", "drain-current-node") == "immediate"
                    ? DrainPolicy.Immediate
                    : DrainPolicy.DrainCurrentNode);
        }

        return reader.Decide(ref body, ref error);
    }
}

/// <summary>The body of <c>POST /v1/runs/{runId}:resume</c>; optional and closed.</summary>
public sealed record ResumeRunBody(string? Reason)
{
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ResumeRunBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: true, out var reader, out error))
        {
            reader.RequireOnly("reason");
            body = new ResumeRunBody(reader.Text("reason", RunOptionLimits.MaxReasonLength, minLength: 0));
        }

        return reader.Decide(ref body, ref error);
    }
}

/// <summary>What a fork does with the events from the boundary on (spec/runs-streams-replay.md 8.1).</summary>
public enum ForkMode
{
    Replay,
    Branch,
}

/// <summary>The body of <c>POST /v1/runs/{runId}:fork</c>; closed.</summary>
/// <param name="Mode">Replay or branch.</param>
/// <param name="FromSequence">First sequence that is executed again. Whether the source has it is a question for the log.</param>
/// <param name="Overlay">Options laid over those of the source; null when none are given. Branches only.</param>
public sealed record ForkRunBody(ForkMode Mode, long FromSequence, RunRequestOptions? Overlay)
{
    public static bool TryParse(
        ReadOnlySpan<byte> utf8, RunOptionPolicy policy, [NotNullWhen(true)] out ForkRunBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        ArgumentNullException.ThrowIfNull(policy);
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: false, out var reader, out error))
        {
            reader.RequireOnly("mode", "fromSeq", "runOptionsOverlay");
            if (!reader.Has("mode"))
                reader.Fail("mode", "'mode' is missing.");

            var mode = reader.Choice("mode", "replay", "branch") == "branch" ? ForkMode.Branch : ForkMode.Replay;
            if (mode == ForkMode.Branch && !reader.Has("fromSeq"))
                reader.Fail("fromSeq", "A branch needs 'fromSeq'.");

            body = new ForkRunBody(mode, reader.Sequence("fromSeq") ?? 0, ReadOverlay(reader, mode, policy));
        }

        return reader.Decide(ref body, ref error);
    }

    private static RunRequestOptions? ReadOverlay(RequestReader reader, ForkMode mode, RunOptionPolicy policy)
    {
        if (reader.Object("runOptionsOverlay") is not { } overlay || overlay.GetPropertyCount() == 0)
            return null;

        if (mode == ForkMode.Replay)
        {
            reader.Fail("runOptionsOverlay", "A replay runs with the options of its source.");
            return null;
        }

        var nested = RequestReader.Nested(overlay, "runOptionsOverlay");
        nested.RequireOnly("configurable", "tags", "metadata");
        var options = RunRequestOptions.Read(nested, policy);
        if (nested.Error is { } error)
            reader.Fail(error);

        return options;
    }
}

/// <summary>The body that resolves an interrupt, by run or by token; closed.</summary>
/// <param name="ResumeValue">Any JSON value; <c>null</c> is one, a missing member is not.</param>
public sealed record ResolveInterruptBody(JsonElement ResumeValue)
{
    public static bool TryParse(
        ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ResolveInterruptBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: false, out var reader, out error))
        {
            reader.RequireOnly("resumeValue");
            if (!reader.Has("resumeValue"))
                reader.Fail("resumeValue", "'resumeValue' is missing.");

            body = new ResolveInterruptBody(reader.Any("resumeValue") ?? default);
        }

        return reader.Decide(ref body, ref error);
    }
}

/// <summary>The body of <c>POST /v1/runs:bulk-cancel</c>; closed.</summary>
/// <param name="RunIds">1 to 100 ids in the order of the request, repeated ones included.</param>
/// <param name="Reason">At most 512 characters; may be empty.</param>
public sealed record BulkCancelBody(ImmutableArray<string> RunIds, string? Reason)
{
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out BulkCancelBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: false, out var reader, out error))
        {
            reader.RequireOnly("runIds", "reason");
            body = new BulkCancelBody(ReadRunIds(reader), reader.Text("reason", RunOptionLimits.MaxReasonLength, minLength: 0));
        }

        return reader.Decide(ref body, ref error);
    }

    private static ImmutableArray<string> ReadRunIds(RequestReader reader)
    {
        if (reader.Array("runIds") is { } ids)
        {
            if (ids.GetArrayLength() is > 0 and <= RunOptionLimits.MaxBulkRunIds
                && ids.EnumerateArray().All(id => id.ValueKind == JsonValueKind.String
                    && CodePoints.Count(id.GetString()!) is > 0 and <= RunOptionLimits.MaxIdLength))
            {
                return [.. ids.EnumerateArray().Select(id => id.GetString()!)];
            }
        }

        reader.Fail(new ProtocolError(
            ErrorCodes.ValidationError,
            $"'runIds' must be a list of 1 to {RunOptionLimits.MaxBulkRunIds} ids of 1 to {RunOptionLimits.MaxIdLength} characters.",
            new JsonObject { ["field"] = "runIds", ["maxRunIds"] = RunOptionLimits.MaxBulkRunIds }));
        return [];
    }
}
