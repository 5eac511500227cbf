using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>The server side of the interop cases. Echoes two headers so that metadata can be followed both ways.</summary>
internal sealed class InteropService : Protos.Interop.InteropBase
{
    public const string EchoInitial = "x-echo-initial";
    public const string EchoTrailing = "x-echo-trailing-bin";

    public override Task<Empty> EmptyCall(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

    public override async Task<UnaryResponse> UnaryCall(UnaryRequest request, ServerCallContext context)
    {
        await EchoMetadata(context, request.CompressResponse);
        EndWith(request.ResponseStatus);
        return new UnaryResponse { Payload = PayloadOf(request.ResponseSize) };
    }

    public override async Task<InputSummary> CollectInput(IAsyncStreamReader<InputRequest> requestStream, ServerCallContext context)
    {
        await EchoMetadata(context);
        var total = 0;
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
            total += request.Payload.Body.Length;

        return new InputSummary { TotalSize = total };
    }

    public override async Task ProduceOutput(OutputRequest request, IServerStreamWriter<OutputResponse> responseStream, ServerCallContext context)
    {
        await EchoMetadata(context);
        await WriteAsync(request, responseStream, context);
    }

    public override async Task Converse(
        IAsyncStreamReader<OutputRequest> requestStream, IServerStreamWriter<OutputResponse> responseStream, ServerCallContext context)
    {
        await EchoMetadata(context);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
            await WriteAsync(request, responseStream, context);
    }

    private static async Task WriteAsync(OutputRequest request, IServerStreamWriter<OutputResponse> responses, ServerCallContext context)
    {
        EndWith(request.ResponseStatus);
        foreach (var size in request.ResponseSizes)
            await responses.WriteAsync(new OutputResponse { Payload = PayloadOf(size) }, context.CancellationToken);
    }

    private static Payload PayloadOf(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };

    private static async Task EchoMetadata(ServerCallContext context, bool compressResponse = false)
    {
        var headers = new Metadata();
        if (context.RequestHeaders.GetValue(EchoInitial) is { } initial)
            headers.Add(EchoInitial, initial);
        if (compressResponse)
            headers.Add("grpc-internal-encoding-request", "gzip");
        if (context.RequestHeaders.GetValueBytes(EchoTrailing) is { } trailing)
            context.ResponseTrailers.Add(EchoTrailing, trailing);
        if (headers.Count > 0)
            await context.WriteResponseHeadersAsync(headers);
    }

    private static void EndWith(EchoStatus? status)
    {
        if (status is not null && status.Code != 0)
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
    }
}
