using Grpc.Core;
using Grpc.Core.Interceptors;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.ServiceDefaults.Errors;

/// <summary>Refusals of a service (<see cref="ProtocolException"/>) become statuses with the envelope in their details.</summary>
public sealed class ProtocolErrorInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        try
        {
            return await continuation(request, context);
        }
        catch (ProtocolException exception)
        {
            throw exception.Error.ToRpcException();
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (ProtocolException exception)
        {
            throw exception.Error.ToRpcException();
        }
    }
}
