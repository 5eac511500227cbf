using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.Gateway.Audit;
using OpenWop.Micro.Gateway.Discovery;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Webhooks;
using OpenWop.Micro.Gateway.Workflows;
using RunsClient = OpenWop.Micro.Contracts.Runs.V1.Runs.RunsClient;
using StreamFramesRequest = OpenWop.Micro.Contracts.Runs.V1.StreamFramesRequest;

namespace OpenWop.Micro.Gateway.Engine;

/// <summary>
/// The public gRPC transport: the operations of REST, through the same pipeline, with the same answers. What REST sends as a body
/// travels here in a message; idempotency records are shared, so a call may be retried over the other transport.
/// </summary>
internal sealed class EngineService(
    OperationPipeline pipeline,
    DiscoveryOperations discovery,
    WorkflowOperations workflows,
    RunOperations runOperations,
    BulkCancellation bulkCancellation,
    RunDocumentOperations documents,
    InterruptOperations interrupts,
    AuditOperations audit,
    WebhookOperations webhooks,
    RunsClient runs,
    PublicAddress address,
    ErrorTranslator errors,
    IHostApplicationLifetime lifetime) : Contracts.V1.Engine.EngineBase
{
    public override async Task<Document> GetCapabilities(GetCapabilitiesRequest request, ServerCallContext context) =>
        ToDocument(await RunAsync(Call(Operations.GetCapabilities, context), discovery.GetCapabilitiesAsync, context));

    public override async Task<Document> GetWorkflow(GetWorkflowRequest request, ServerCallContext context) =>
        ToDocument(await RunAsync(Call(Operations.GetWorkflow, context, request.WorkflowId), workflows.GetAsync, context));

    public override async Task<PutWorkflowResponse> PutWorkflow(PutWorkflowRequest request, ServerCallContext context)
    {
        var call = Call(
            Operations.PutWorkflow, context, request.WorkflowId, request.Definition.Memory,
            ifMatch: request.IfMatch switch { "" => null, "*" => "*", var etag => $"\"{etag}\"" },
            ifNoneMatch: request.IfNoneMatch ? "*" : null);
        var answer = await RunAsync(call, workflows.PutAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new PutWorkflowResponse
        {
            WorkflowId = Text(body, "workflowId"u8),
            Version = body.RootElement.GetProperty("version"u8).GetInt64(),
            Etag = Text(body, "etag"u8),
            Created = answer.Status == StatusCodes.Status201Created,
        };
    }

    public override async Task<CreateRunResponse> CreateRun(CreateRunRequest request, ServerCallContext context)
    {
        var call = Call(
            Operations.CreateRun, context, body: request.Body.Memory,
            dedup: request.DedupEnforce ? "enforce" : null,
            forceEngineVersion: request.HasForceEngineVersion ? request.ForceEngineVersion.ToString(System.Globalization.CultureInfo.InvariantCulture) : null);
        var answer = await RunAsync(call, runOperations.CreateAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new CreateRunResponse
        {
            RunId = Text(body, "runId"u8),
            Status = Text(body, "status"u8),
            EventsUrl = Text(body, "eventsUrl"u8),
            StatusUrl = Text(body, "statusUrl"u8),
        };
    }

    public override async Task<Document> GetRun(GetRunRequest request, ServerCallContext context) =>
        ToDocument(await RunAsync(Call(Operations.GetRun, context, request.RunId), runOperations.GetAsync, context));

    public override async Task<RunStatusResponse> CancelRun(CancelRunRequest request, ServerCallContext context)
    {
        var answer = await RunAsync(
            Call(Operations.CancelRun, context, request.RunId, JsonBody(("reason", request.Reason))), runOperations.CancelAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new RunStatusResponse { RunId = Text(body, "runId"u8), Status = Text(body, "status"u8) };
    }

    public override async Task<BulkCancelRunsResponse> BulkCancelRuns(BulkCancelRunsRequest request, ServerCallContext context)
    {
        var answer = await RunAsync(Call(Operations.BulkCancelRuns, context, body: BulkCancelBody(request)), bulkCancellation.CancelAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        var response = new BulkCancelRunsResponse();
        foreach (var item in body.RootElement.GetProperty("results"u8).EnumerateArray())
        {
            var result = new BulkCancelResult { RunId = item.GetProperty("runId"u8).GetString(), Ok = item.GetProperty("ok"u8).GetBoolean() };
            if (item.TryGetProperty("status"u8, out var status))
                result.Status = status.GetString();
            if (item.TryGetProperty("error"u8, out var error))
                result.Error = ByteString.CopyFrom(JsonMarshal.GetRawUtf8Value(error));
            response.Results.Add(result);
        }

        return response;
    }

    public override async Task<ForkRunResponse> ForkRun(ForkRunRequest request, ServerCallContext context)
    {
        var answer = await RunAsync(Call(Operations.ForkRun, context, request.RunId, request.Body.Memory), runOperations.ForkAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new ForkRunResponse
        {
            RunId = Text(body, "runId"u8),
            SourceRunId = Text(body, "sourceRunId"u8),
            Mode = Text(body, "mode"u8),
            Status = Text(body, "status"u8),
            EventsUrl = Text(body, "eventsUrl"u8),
            FromSeq = body.RootElement.GetProperty("fromSeq"u8).GetInt64(),
        };
    }

    public override async Task<PauseRunResponse> PauseRun(PauseRunRequest request, ServerCallContext context)
    {
        var json = JsonBody(("reason", request.Reason), ("drainPolicy", request.DrainPolicy));
        var answer = await RunAsync(Call(Operations.PauseRun, context, request.RunId, json), runOperations.PauseAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new PauseRunResponse { RunId = Text(body, "runId"u8), Status = Text(body, "status"u8), PausedAt = Text(body, "pausedAt"u8) };
    }

    public override async Task<ResumeRunResponse> ResumeRun(ResumeRunRequest request, ServerCallContext context)
    {
        var answer = await RunAsync(
            Call(Operations.ResumeRun, context, request.RunId, JsonBody(("reason", request.Reason))), runOperations.ResumeAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new ResumeRunResponse { RunId = Text(body, "runId"u8), Status = Text(body, "status"u8), ResumedAt = Text(body, "resumedAt"u8) };
    }

    public override async Task<Document> DiffRuns(DiffRunsRequest request, ServerCallContext context) => ToDocument(await RunAsync(
        Call(Operations.DiffRuns, context, request.RunId, query: name => name == "against" ? request.Against : null), documents.DiffAsync, context));

    public override async Task<Document> GetRunAncestry(GetRunAncestryRequest request, ServerCallContext context) =>
        ToDocument(await RunAsync(Call(Operations.GetRunAncestry, context, request.RunId), documents.GetAncestryAsync, context));

    public override async Task<Document> GetArtifact(GetArtifactRequest request, ServerCallContext context) => ToDocument(await RunAsync(
        Call(Operations.GetArtifact, context, request.RunId, nodeId: request.ArtifactId), documents.GetArtifactAsync, context));

    public override async Task<Document> VerifyAuditLog(VerifyAuditLogRequest request, ServerCallContext context) => ToDocument(await RunAsync(
        Call(Operations.VerifyAuditLog, context, "", query: name => (name == "fromSeq" ? request.FromSeq : request.ToSeq).ToString(CultureInfo.InvariantCulture)),
        audit.VerifyAsync,
        context));

    public override async Task<RegisterWebhookResponse> RegisterWebhook(RegisterWebhookRequest request, ServerCallContext context)
    {
        var answer = await RunAsync(Call(Operations.RegisterWebhook, context, body: request.Body.Memory), webhooks.RegisterAsync, context);
        using var body = JsonDocument.Parse(answer.Body);
        return new RegisterWebhookResponse
        {
            WebhookId = Text(body, "webhookId"u8),
            Secret = Text(body, "secret"u8),
            SecretFingerprint = Text(body, "secretFingerprint"u8),
            SignatureAlgorithm = Text(body, "signatureAlgorithm"u8),
        };
    }

    public override async Task<UnregisterWebhookResponse> UnregisterWebhook(UnregisterWebhookRequest request, ServerCallContext context)
    {
        await RunAsync(Call(Operations.UnregisterWebhook, context, request.WebhookId), webhooks.UnregisterAsync, context);
        return new UnregisterWebhookResponse();
    }

    public override async Task<ResolveInterruptResponse> ResolveInterruptByRun(ResolveInterruptByRunRequest request, ServerCallContext context) =>
        ToResolved(await RunAsync(
            Call(Operations.ResolveInterruptByRun, context, request.RunId, ResumeBody(request.ResumeValue), nodeId: request.NodeId),
            interrupts.ResolveByRunAsync,
            context));

    public override async Task<ResolveInterruptResponse> ResolveInterruptByToken(ResolveInterruptByTokenRequest request, ServerCallContext context) =>
        ToResolved(await RunAsync(
            Call(Operations.ResolveInterruptByToken, context, request.Token, ResumeBody(request.ResumeValue)), interrupts.ResolveByTokenAsync, context));

    public override async Task<Document> InspectInterruptByToken(InspectInterruptByTokenRequest request, ServerCallContext context) =>
        ToDocument(await RunAsync(Call(Operations.InspectInterruptByToken, context, request.Token), interrupts.InspectByTokenAsync, context));

    public override async Task StreamRunEvents(StreamRunEventsRequest request, IServerStreamWriter<RunEventEnvelope> responseStream, ServerCallContext context)
    {
        try
        {
            var caller = await pipeline.AdmitAsync(Operations.StreamRunEvents, Header(context, "authorization"), context.CancellationToken);
            var query = StreamQuery.Create(request.StreamModes, request.BufferMs);
            var subscription = new StreamFramesRequest { RunId = RunOperations.RequireRunId(request.RunId), BufferMs = query.BufferMs, Modes = { query.Modes } };
            // 0 cannot be told from absent; it means the beginning (protos/openwop/v1/engine.proto).
            if (request.LastSequence > 0)
                subscription.AfterSequence = request.LastSequence;

            using var stream = await EventStream.OpenAsync(runs, caller, subscription, lifetime.ApplicationStopping, context.CancellationToken);
            await context.WriteResponseHeadersAsync([]);
            while (await stream.NextAsync())
            {
                foreach (var frame in stream.Frames)
                    await responseStream.WriteAsync(new RunEventEnvelope { Event = frame.Event, Sequence = frame.Sequence, Json = frame.Json }, context.CancellationToken);
                stream.Advance();
            }
        }
        catch (Exception exception) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw ToRpcException(Answer.Failure(errors.Translate(exception, Operations.StreamRunEvents.Id)));
        }
    }

    private async Task<Answer> RunAsync(OperationCall call, OperationHandler handler, ServerCallContext context)
    {
        var answer = await pipeline.RunAsync(call, handler, context.CancellationToken);
        if (answer.Error is not null)
            throw ToRpcException(answer);

        if (answer.IsReplay)
            context.ResponseTrailers.Add("openwop-idempotent-replay", "true");
        return answer;
    }

    private OperationCall Call(
        Operation operation,
        ServerCallContext context,
        string resourceId = "",
        ReadOnlyMemory<byte> body = default,
        string nodeId = "",
        Func<string, string?>? query = null,
        string? dedup = null,
        string? forceEngineVersion = null,
        string? ifMatch = null,
        string? ifNoneMatch = null) => new(operation)
        {
            ResourceId = resourceId,
            NodeId = nodeId,
            Authorization = Header(context, "authorization"),
            IdempotencyKey = Header(context, "idempotency-key"),
            Traceparent = Header(context, "traceparent") ?? "",
            ReadBody = _ => ValueTask.FromResult(body),
            Query = query ?? (static _ => null),
            Dedup = dedup,
            ForceEngineVersion = forceEngineVersion,
            IfMatch = ifMatch,
            IfNoneMatch = ifNoneMatch,
            BaseUrl = address.BaseUrl(context.GetHttpContext().Request),
        };

    private static string? Header(ServerCallContext context, string name) => context.RequestHeaders.GetValue(name);

    private static Document ToDocument(Answer answer) => new() { Json = UnsafeByteOperations.UnsafeWrap(answer.Body), Etag = answer.ETag ?? "" };

    private static string Text(JsonDocument body, ReadOnlySpan<byte> member) => body.RootElement.GetProperty(member).GetString()!;

    /// <summary>The envelope travels byte for byte as REST would have sent it.</summary>
    private static RpcException ToRpcException(Answer answer)
    {
        var error = answer.Error!;
        return ServiceDefaults.Errors.ProtocolErrorRpc.FromEnvelope(error.Code.GrpcStatus, error.Message, answer.Body, answer.RetryAfterSeconds);
    }

    /// <summary>The body that REST would have had: fields that are set, as members.</summary>
    private static ReadOnlyMemory<byte> JsonBody(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var output = new ArrayBufferWriter<byte>(64);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
            {
                if (value.Length > 0)
                    json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    private static ReadOnlyMemory<byte> BulkCancelBody(BulkCancelRunsRequest request)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteStartArray("runIds"u8);
            foreach (var runId in request.RunIds)
                json.WriteStringValue(runId);
            json.WriteEndArray();
            if (request.Reason.Length > 0)
                json.WriteString("reason"u8, request.Reason);
            json.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    /// <summary>Empty = no value, which the operation refuses as it would over REST.</summary>
    private static ReadOnlyMemory<byte> ResumeBody(ByteString resumeValue)
    {
        var output = new ArrayBufferWriter<byte>(resumeValue.Length + 20);
        output.Write("{"u8);
        if (!resumeValue.IsEmpty)
        {
            output.Write("\"resumeValue\":"u8);
            output.Write(resumeValue.Span);
        }

        output.Write("}"u8);
        return output.WrittenMemory;
    }

    private static ResolveInterruptResponse ToResolved(Answer answer)
    {
        using var body = JsonDocument.Parse(answer.Body);
        return new ResolveInterruptResponse { RunId = Text(body, "runId"u8), NodeId = Text(body, "nodeId"u8), Status = Text(body, "status"u8) };
    }
}
