using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Gives calls over the network the deadline and the cancellation of the <see cref="AmbientCall"/> they are made in. Outside of a
/// server call it does nothing. The in-process channel does the same by itself.
/// </summary>
internal sealed class CallContextPropagation : Interceptor
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        using var link = CancellationLink.Propagate(ref context);
        return continuation(request, context);
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var link = CancellationLink.Propagate(ref context);
        var call = continuation(request, context);
        return link is null ? call : new AsyncUnaryCall<TResponse>(
            link.Until(call.ResponseAsync), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, link.Until(call.Dispose));
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var link = CancellationLink.Propagate(ref context);
        var call = continuation(context);
        return link is null ? call : new AsyncClientStreamingCall<TRequest, TResponse>(
            call.RequestStream, link.Until(call.ResponseAsync), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, link.Until(call.Dispose));
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var link = CancellationLink.Propagate(ref context);
        var call = continuation(request, context);
        return link is null ? call : new AsyncServerStreamingCall<TResponse>(
            link.Until(call.ResponseStream), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, link.Until(call.Dispose));
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var link = CancellationLink.Propagate(ref context);
        var call = continuation(context);
        return link is null ? call : new AsyncDuplexStreamingCall<TRequest, TResponse>(
            call.RequestStream, link.Until(call.ResponseStream), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, link.Until(call.Dispose));
    }
}
