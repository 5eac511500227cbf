using Grpc.Core;
using Grpc.Core.Interceptors;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Runs.Api;

/// <summary>Refusals become statuses with the envelope in their details.</summary>
internal sealed class ErrorInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (ProtocolException exception)
        {
            throw exception.Error.ToRpcException();
        }
        catch (RunMovedException)
        {
            throw RunErrors.Unavailable.ToRpcException();
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
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
