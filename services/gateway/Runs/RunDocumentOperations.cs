using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Discovery;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>What can be read of a run besides its snapshot and its events: artifacts, differences, where it comes from.</summary>
internal sealed class RunDocumentOperations(Contracts.Runs.V1.Runs.RunsClient runs, PublicAddress address)
{
    private const int MaxArtifactIdLength = 128;

    /// <summary><c>GET /v1/runs/{runId}/artifacts/{artifactId}</c>.</summary>
    public async Task<Answer> GetArtifactAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RunOperations.RequireRunId(call.ResourceId);
        if (call.NodeId.Length is 0 or > MaxArtifactIdLength)
            throw new ProtocolException(ProtocolError.NotFound("artifact"));

        var reply = await runs.GetArtifactAsync(
            new GetArtifactRequest { RunId = runId, ArtifactId = call.NodeId }, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory);
    }

    /// <summary><c>GET /v1/runs/{runId}:diff</c>.</summary>
    public async Task<Answer> DiffAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new DiffRunsRequest { RunId = RunOperations.RequireRunId(call.ResourceId) };
        if (call.Query("against") is not { Length: > 0 } against)
            throw new ProtocolException(ProtocolError.Validation("against is required: the run to compare with.", "against"));

        request.Against = RunOperations.RequireRunId(against);
        var reply = await runs.DiffRunsAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory);
    }

    /// <summary><c>GET /v1/runs/{runId}/ancestry</c>: one step up.</summary>
    public async Task<Answer> GetAncestryAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RunOperations.RequireRunId(call.ResourceId);
        var reply = await runs.GetParentAsync(
            new GetParentRequest { RunId = runId }, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        var hostId = HostIdentity.Of(address.Configured);
        var body = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("runId"u8, runId);
            writer.WriteString("hostId"u8, hostId);
            if (reply.RunId.Length == 0)
            {
                writer.WriteNull("parent"u8);
            }
            else
            {
                writer.WriteStartObject("parent"u8);
                writer.WriteString("runId"u8, reply.RunId);
                writer.WriteString("hostId"u8, hostId);
                writer.WriteString("cause"u8, reply.TypeId);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return Answer.Json(StatusCodes.Status200OK, body.WrittenMemory);
    }
}
