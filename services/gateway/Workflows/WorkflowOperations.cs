using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Workflows;

/// <summary>The operations on workflow definitions. Definitions pass through as bytes.</summary>
internal sealed class WorkflowOperations(Contracts.Workflows.V1.Workflows.WorkflowsClient workflows)
{
    /// <summary>Name of the service behind these operations.</summary>
    public const string Service = "workflows";

    /// <summary><c>GET /v1/workflows/{workflowId}</c>.</summary>
    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var definition = await workflows.GetDefinitionAsync(
            new GetDefinitionRequest { WorkflowId = RequireWorkflowId(call.ResourceId) },
            call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));

        return EntityTag.Matches(call.IfNoneMatch, definition.Etag)
            ? new Answer(StatusCodes.Status304NotModified, default) { ETag = definition.Etag }
            : Answer.Json(StatusCodes.Status200OK, definition.Json.Memory) with { ETag = definition.Etag };
    }

    /// <summary><c>PUT /v1/workflows/{workflowId}</c>.</summary>
    public async Task<Answer> PutAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new PutDefinitionRequest
        {
            WorkflowId = RequireWorkflowId(call.ResourceId),
            IfMatch = EntityTag.ReadExpectation(call.IfMatch, "If-Match"),
            IfNoneMatch = EntityTag.ReadExpectation(call.IfNoneMatch, "If-None-Match") switch
            {
                "" => false,
                "*" => true,
                _ => throw new ProtocolException(ProtocolError.Validation("If-None-Match can only be '*' when a workflow is stored.", "If-None-Match")),
            },
            Json = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken)),
            RequestId = call.RequestId,
        };
        var reply = await workflows.PutDefinitionAsync(request, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));

        var body = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("workflowId"u8, request.WorkflowId);
            writer.WriteNumber("version"u8, reply.Version);
            writer.WriteString("etag"u8, reply.Etag);
            writer.WriteEndObject();
        }

        return Answer.Json(reply.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK, body.WrittenMemory) with { ETag = reply.Etag };
    }

    private static string RequireWorkflowId(string id) =>
        id.Length is > 0 and <= 128 ? id : throw new ProtocolException(ProtocolError.NotFound("workflow"));
}
