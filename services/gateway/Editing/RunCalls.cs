using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.ServiceDefaults.Errors;
using EditingClient = OpenWop.Micro.Contracts.Workflows.V1.Editing.EditingClient;
using RunsClient = OpenWop.Micro.Contracts.Runs.V1.Runs.RunsClient;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>Runs on the authoring plane: the same runs as those of <c>/v1/runs</c>, in other words.</summary>
internal sealed class RunCalls(RunsClient runs, EditingClient editing)
{
    private const int MaxKey = 512;
    private const int MaxTags = 100;
    private const int MaxBlockId = 16_384;
    private const int MaxFilter = 256;

    /// <summary>Starts a run of a workflow's newest version, unless something keeps it from running.</summary>
    public async Task<Answer> StartAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken, isOptional: true);
        var key = body.Text("idempotencyKey", MaxKey);
        var tags = body.Texts("tags", MaxTags);
        body.ThrowIfInvalid();

        var workflowId = WorkflowCalls.Id(call);
        var check = await editing.CheckWorkflowAsync(
            new GetWorkflowRequest { WorkflowId = workflowId }, call.Caller.CallOptions(WorkflowOperations.Service, RunOperations.Patience, cancellationToken));
        if (!check.Errors.IsEmpty)
        {
            throw new ProtocolException(new ProtocolError(
                ControlErrors.WorkflowInvalid, "The workflow cannot run as it is.", new JsonObject { ["validation_errors"] = JsonNode.Parse(check.Errors.Span) }));
        }

        var request = new CreateRunRequest
        {
            Body = UnsafeByteOperations.UnsafeWrap(BodyOf(workflowId, body, tags)),
            RequestId = key.Length > 0 ? RequestIdOf(workflowId, key) : call.RequestId,
            Traceparent = call.Traceparent,
        };
        var reply = await runs.CreateRunAsync(request, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status202Accepted, ControlJson.Bytes(new JsonObject { ["runId"] = reply.RunId })) with { IsReplay = reply.Replayed };
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await runs.ListRunsAsync(
            new ListRunsRequest
            {
                State = Filter(call, "state"),
                WorkflowId = Filter(call, "workflowId"),
                Tag = Filter(call, "tag"),
                After = page.After,
                Limit = page.Limit,
            },
            Options(call, cancellationToken));
        return Page(reply);
    }

    public Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken) => AsOneAsync(async () =>
    {
        var reply = await runs.DescribeRunAsync(new DescribeRunRequest { RunId = RunOperations.RequireRunId(call.ResourceId) }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory);
    });

    public Task<Answer> LogsAsync(OperationCall call, CancellationToken cancellationToken) => AsOneAsync(async () =>
    {
        var page = ControlPage.From(call);
        return Page(await runs.ListAttemptsAsync(
            new ListAttemptsRequest { RunId = RunOperations.RequireRunId(call.ResourceId), After = page.After, Limit = page.Limit }, Options(call, cancellationToken)));
    });

    public Task<Answer> CancelAsync(OperationCall call, CancellationToken cancellationToken) => AsOneAsync(async () =>
    {
        await runs.CancelRunAsync(
            new CancelRunRequest { RunId = RunOperations.RequireRunId(call.ResourceId), RequestId = call.RequestId }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    });

    /// <summary>Answers a block that waits. Of several answers at once one wins.</summary>
    public Task<Answer> ResumeAsync(OperationCall call, CancellationToken cancellationToken) => AsOneAsync(async () =>
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var blockId = body.Text("blockId", MaxBlockId, isRequired: true);
        body.ThrowIfInvalid();

        var payload = body.Root.TryGetProperty("payload", out var given) ? ByteString.CopyFrom(JsonMarshal.GetRawUtf8Value(given)) : ByteString.CopyFromUtf8("null");
        await runs.ResolveInterruptAsync(
            new ResolveInterruptRequest { RunId = RunOperations.RequireRunId(call.ResourceId), NodeId = blockId, ResumeValue = payload, RequestId = call.RequestId },
            Options(call, cancellationToken));
        return new Answer(StatusCodes.Status202Accepted, ControlJson.Bytes(new JsonObject { ["runId"] = call.ResourceId, ["blockId"] = blockId }));
    });

    /// <summary>What is gone was never there, and what comes too late is a conflict: the authoring plane knows no finer words.</summary>
    private static async Task<Answer> AsOneAsync(Func<Task<Answer>> act)
    {
        try
        {
            return await act();
        }
        catch (RpcException exception)
        {
            var error = exception.ToProtocolError();
            throw new ProtocolException(error.Code.HttpStatus switch
            {
                StatusCodes.Status404NotFound => ProtocolError.NotFound("run"),
                StatusCodes.Status410Gone when error.Code == ErrorCodes.RunExpired => ProtocolError.NotFound("run"),
                StatusCodes.Status410Gone or StatusCodes.Status422UnprocessableEntity => error with { Code = error.Code with { HttpStatus = StatusCodes.Status409Conflict } },
                _ => error,
            });
        }
    }

    /// <summary>The body that <c>POST /v1/runs</c> takes.</summary>
    private static ReadOnlyMemory<byte> BodyOf(string workflowId, ControlBody body, IReadOnlyList<string> tags)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("workflowId"u8, workflowId);
            writer.WritePropertyName("inputs"u8);
            WriteInput(writer, body.Root.TryGetProperty("input", out var input) ? input : default);
            if (tags.Count > 0)
            {
                writer.WriteStartArray("tags"u8);
                foreach (var tag in tags)
                    writer.WriteStringValue(tag);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void WriteInput(Utf8JsonWriter writer, JsonElement input)
    {
        if (input.ValueKind == JsonValueKind.Object)
        {
            input.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        if (input.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            writer.WritePropertyName(TriggerInput.Member);
            input.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>The same key makes one run of a workflow; tenants are apart in the service.</summary>
    private static string RequestIdOf(string workflowId, string key) =>
        "key:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{workflowId}\n{key}")));

    private static string Filter(OperationCall call, string name)
    {
        var text = call.Query(name) ?? "";
        return text.Length <= MaxFilter && !text.Contains('\0', StringComparison.Ordinal)
            ? text
            : throw new ProtocolException(ProtocolError.Validation($"'{name}' has at most {MaxFilter} characters.", name));
    }

    private static Answer Page(ListRunsReply reply)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("data"u8);
            foreach (var item in reply.Items)
                writer.WriteRawValue(item.Span, skipInputValidation: true);
            writer.WriteEndArray();
            writer.WriteStartObject("pagination"u8);
            if (reply.Next.Length == 0)
                writer.WriteNull("next"u8);
            else
                writer.WriteString("next"u8, reply.Next);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Answer.Json(StatusCodes.Status200OK, buffer.WrittenMemory);
    }

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken);
}
