using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Grpc.Bench.Protos;

namespace OpenWop.Micro.Grpc.Bench;

internal sealed class EchoService : Echo.EchoBase
{
    public override Task<Message> Once(Message request, ServerCallContext context) => Task.FromResult(request);

    public override async Task Many(Count request, IServerStreamWriter<Message> responseStream, ServerCallContext context)
    {
        var body = UnsafeByteOperations.UnsafeWrap(new byte[request.BodySize]);
        for (var i = 0; i < request.Messages; i++)
            await responseStream.WriteAsync(new Message { Id = "event", Sequence = i, Body = body });
    }

    public override async Task Chat(IAsyncStreamReader<Message> requestStream, IServerStreamWriter<Message> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
            await responseStream.WriteAsync(requestStream.Current);
    }
}
