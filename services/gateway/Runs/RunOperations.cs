using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>The operations on runs: thin, the engine decides. Documents pass through as bytes.</summary>
internal sealed class RunOperations(Contracts.Runs.V1.Runs.RunsClient runs)
{
    /// <summary>Name of the service behind these operations.</summary>
    public const string Service = "runs";

    /// <summary>How long an operation may take that does not wait on purpose.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary><c>POST /v1/runs</c>.</summary>
    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new CreateRunRequest
        {
            RequestId = call.RequestId,
            Traceparent = call.Traceparent,
            DedupEnforce = ReadDedup(call.Dedup),
        };
        if (ReadForceEngineVersion(call.ForceEngineVersion, call.Caller) is { } version)
            request.ForceEngineVersion = version;
        request.Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));

        var reply = await runs.CreateRunAsync(request, call.Caller.CallOptions(Service, Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, CreatedBody(reply, call.BaseUrl)) with { IsReplay = reply.Replayed };
    }

    /// <summary><c>GET /v1/runs/{runId}</c>.</summary>
    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var reply = await runs.GetRunAsync(
            new GetRunRequest { RunId = RequireRunId(call.ResourceId), BaseUrl = call.BaseUrl }, call.Caller.CallOptions(Service, Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Snapshot.Memory);
    }

    /// <summary><c>POST /v1/runs/{runId}/cancel</c>.</summary>
    public async Task<Answer> CancelAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new CancelRunRequest
        {
            RunId = RequireRunId(call.ResourceId),
            Reason = ReadReason(await call.ReadBody(cancellationToken)),
            RequestId = call.RequestId,
        };
        try
        {
            var reply = await runs.CancelRunAsync(request, call.Caller.CallOptions(Service, Patience, cancellationToken));
            return Texts(StatusCodes.Status200OK, ("runId", reply.RunId), ("status", reply.Status));
        }
        catch (RpcException exception) when (exception.ToProtocolError() is { Code.Name: "run_terminal" } error)
        {
            // Nothing is left to cancel, which is what the caller wants; the status says how the run ended.
            return Texts(StatusCodes.Status200OK, ("runId", request.RunId), ("status", (string?)error.Details?["runStatus"] ?? RunStatuses.Completed));
        }
    }

    /// <summary><c>POST /v1/runs/{runId}:fork</c>.</summary>
    public async Task<Answer> ForkAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new ForkRunRequest { RunId = RequireRunId(call.ResourceId), RequestId = call.RequestId };
        request.Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));
        var reply = await runs.ForkRunAsync(request, call.Caller.CallOptions(Service, Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, ForkedBody(reply, call.BaseUrl)) with { IsReplay = reply.Replayed };
    }

    /// <summary><c>POST /v1/runs/{runId}:pause</c>.</summary>
    public async Task<Answer> PauseAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RequireRunId(call.ResourceId);
        var bytes = await call.ReadBody(cancellationToken);
        if (!PauseRunBody.TryParse(bytes.Span, out var body, out var error))
            throw new ProtocolException(error);

        var request = new PauseRunRequest
        {
            RunId = runId,
            Reason = body.Reason ?? "",
            DrainPolicy = body.DrainPolicy == DrainPolicy.Immediate ? "immediate" : "drain-current-node",
            RequestId = call.RequestId,
        };
        var reply = await runs.PauseRunAsync(request, call.Caller.CallOptions(Service, Patience, cancellationToken));
        return Texts(StatusCodes.Status202Accepted, ("runId", reply.RunId), ("status", RunStatuses.Paused), ("pausedAt", reply.At)) with { IsReplay = reply.Replayed };
    }

    /// <summary><c>POST /v1/runs/{runId}:resume</c>.</summary>
    public async Task<Answer> ResumeAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RequireRunId(call.ResourceId);
        var bytes = await call.ReadBody(cancellationToken);
        if (!ResumeRunBody.TryParse(bytes.Span, out var body, out var error))
            throw new ProtocolException(error);

        var reply = await runs.ResumeRunAsync(
            new ResumeRunRequest { RunId = runId, Reason = body.Reason ?? "", RequestId = call.RequestId },
            call.Caller.CallOptions(Service, Patience, cancellationToken));
        return Texts(StatusCodes.Status202Accepted, ("runId", reply.RunId), ("status", RunStatuses.Running), ("resumedAt", reply.At)) with { IsReplay = reply.Replayed };
    }

    /// <summary>
    /// An id that can belong to a run at all. Ids hold no colon, because a colon separates an id from a verb (<c>{runId}:fork</c>):
    /// a verb that is not served must not be taken for a strange id.
    /// </summary>
    /// <exception cref="ProtocolException">404, as for a run that does not exist.</exception>
    public static string RequireRunId(string id) =>
        id.Length is > 0 and <= 128 && !id.AsSpan().ContainsAny(':', '\0') ? id : throw new ProtocolException(ProtocolError.NotFound("run"));

    /// <summary>An answer of a few texts, in this order.</summary>
    internal static Answer Texts(int status, params ReadOnlySpan<(string Name, string Value)> members)
    {
        var body = new ArrayBufferWriter<byte>(192);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
                writer.WriteString(name, value);
            writer.WriteEndObject();
        }

        return Answer.Json(status, body.WrittenMemory);
    }

    private static ReadOnlyMemory<byte> CreatedBody(CreateRunReply reply, string baseUrl)
    {
        var body = new ArrayBufferWriter<byte>(384);
        using (var writer = new Utf8JsonWriter(body))
        {
            var statusUrl = $"{baseUrl}/v1/runs/{reply.RunId}";
            writer.WriteStartObject();
            writer.WriteString("runId"u8, reply.RunId);
            writer.WriteString("status"u8, reply.Status);
            writer.WriteString("eventsUrl"u8, $"{statusUrl}/events");
            writer.WriteString("statusUrl"u8, statusUrl);
            writer.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private static ReadOnlyMemory<byte> ForkedBody(ForkRunReply reply, string baseUrl)
    {
        var body = new ArrayBufferWriter<byte>(384);
        using (var writer = new Utf8JsonWriter(body))
        {
            var statusUrl = $"{baseUrl}/v1/runs/{reply.RunId}";
            writer.WriteStartObject();
            writer.WriteString("runId"u8, reply.RunId);
            writer.WriteString("sourceRunId"u8, reply.SourceRunId);
            writer.WriteString("mode"u8, reply.Mode);
            writer.WriteString("status"u8, reply.Status);
            writer.WriteString("eventsUrl"u8, $"{statusUrl}/events");
            writer.WriteNumber("fromSeq"u8, reply.FromSeq);
            writer.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private static bool ReadDedup(string? header) => header switch
    {
        null => false,
        "enforce" => true,
        _ => throw new ProtocolException(ProtocolError.Validation("X-Dedup can only be 'enforce'.", "X-Dedup")),
    };

    /// <summary>Only test keys may force a version, which is checked before the value is looked at (spec/http-core.md 5.4).</summary>
    private static int? ReadForceEngineVersion(string? header, ApiCaller caller)
    {
        if (header is null)
            return null;

        if (!caller.IsTest)
            throw new ProtocolException(new(ErrorCodes.ForceEngineVersionForbidden, "Only test keys may force an engine version."));

        return int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new ProtocolException(ProtocolError.Validation("X-Force-Engine-Version must be a whole number.", "X-Force-Engine-Version"));
    }

    private static string ReadReason(ReadOnlyMemory<byte> body) =>
        CancelRunBody.TryParse(body.Span, out var cancel, out var error) ? cancel.Reason ?? "" : throw new ProtocolException(error);
}
