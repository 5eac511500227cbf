using System.Buffers.Text;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Idempotency;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>The operations on interrupts, by run and by signed token (spec/http-core.md 3.8).</summary>
internal sealed class InterruptOperations(Contracts.Runs.V1.Runs.RunsClient runs)
{
    private const int MaxTokenLength = 4096;

    /// <summary><c>POST /v1/runs/{runId}/interrupts/{nodeId}</c>.</summary>
    public async Task<Answer> ResolveByRunAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RunOperations.RequireRunId(call.ResourceId);
        var bytes = await call.ReadBody(cancellationToken);
        if (!ResolveInterruptBody.TryParse(bytes.Span, out var body, out var error))
            throw new ProtocolException(error);

        var request = new ResolveInterruptRequest { RunId = runId, NodeId = call.NodeId, ResumeValue = ValueOf(body), RequestId = call.RequestId };
        return Resolved(await runs.ResolveInterruptAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken)));
    }

    /// <summary><c>GET /v1/interrupts/{token}</c>.</summary>
    public async Task<Answer> InspectByTokenAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var reply = await runs.InspectInterruptByTokenAsync(
            new InspectInterruptByTokenRequest { Token = RequireToken(call.ResourceId) }, deadline: Deadline, cancellationToken: cancellationToken);
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory) with { CacheControl = "no-store" };
    }

    /// <summary><c>POST /v1/interrupts/{token}</c>.</summary>
    public async Task<Answer> ResolveByTokenAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new ResolveInterruptByTokenRequest { Token = RequireToken(call.ResourceId) };
        var bytes = await call.ReadBody(cancellationToken);
        var isParsed = ResolveInterruptBody.TryParse(bytes.Span, out var body, out var error);
        if (isParsed)
        {
            request.ResumeValue = ValueOf(body!);
            Identify(request, call, bytes);
        }

        try
        {
            // Also with a bad body: the token is the credential, so what is wrong with it comes first.
            return Resolved(await runs.ResolveInterruptByTokenAsync(request, deadline: Deadline, cancellationToken: cancellationToken));
        }
        catch (RpcException exception) when (!isParsed && exception.ToProtocolError().Code == ErrorCodes.ValidationError)
        {
            throw new ProtocolException(error!);
        }
    }

    /// <summary>
    /// There is no caller here whose record it could be: the token is the credential, and the run itself remembers what was answered
    /// under which key. So nobody without a token can fill anything with records.
    /// </summary>
    private static void Identify(ResolveInterruptByTokenRequest request, OperationCall call, ReadOnlyMemory<byte> body)
    {
        if (call.IdempotencyKey is not { } key)
            return;

        IdempotencyGate.RequireKey(key);
        request.RequestId = RequestDigest.OfToken(request.Token, key);
        request.RequestDigest = Base64Url.EncodeToString(RequestDigest.OfRequest(call.ResourceId, call.NodeId, body));
    }

    private static DateTime Deadline => DateTime.UtcNow + RunOperations.Patience;

    private static Answer Resolved(ResolveInterruptReply reply) =>
        RunOperations.Texts(StatusCodes.Status200OK, ("runId", reply.RunId), ("nodeId", reply.NodeId), ("status", reply.Status)) with { IsReplay = reply.Replayed };

    private static ByteString ValueOf(ResolveInterruptBody body) => ByteString.CopyFrom(JsonMarshal.GetRawUtf8Value(body.ResumeValue));

    private static string RequireToken(string token) =>
        token.Length is > 0 and <= MaxTokenLength
            ? token
            : throw new ProtocolException(new(ErrorCodes.InterruptNotFound, "The interrupt does not exist."));
}
