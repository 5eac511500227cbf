using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OpenWop.Micro.Grpc.Server;

/// <summary>Makes a call that came over the network the <see cref="AmbientCall"/> of its handler.</summary>
internal sealed class AmbientCallInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        using var call = NetworkCall.Enter(context);
        return await continuation(request, context).ConfigureAwait(false);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var call = NetworkCall.Enter(context);
        return await continuation(requestStream, context).ConfigureAwait(false);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var call = NetworkCall.Enter(context);
        await continuation(request, responseStream, context).ConfigureAwait(false);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var call = NetworkCall.Enter(context);
        await continuation(requestStream, responseStream, context).ConfigureAwait(false);
    }

    private sealed class NetworkCall(ServerCallContext context) : IAmbientCall, IDisposable
    {
        private volatile ServerCallContext? _active = context;

        public ServerCallContext? Active => _active;

        public static NetworkCall Enter(ServerCallContext context)
        {
            var call = new NetworkCall(context);
            AmbientCall.Enter(call);
            return call;
        }

        public void Dispose() => _active = null;
    }
}
