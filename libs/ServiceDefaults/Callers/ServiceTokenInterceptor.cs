using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// Adds the token for the service that is called: the one that the caller has put into the call's metadata (a user's, which the
/// gateway forwards), else this process's own.
/// </summary>
internal sealed class ServiceTokenInterceptor(Lazy<ServiceTokens> tokens) : Interceptor
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, WithToken(context));

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, WithToken(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(WithToken(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, WithToken(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(WithToken(context));

    private ClientInterceptorContext<TRequest, TResponse> WithToken<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        var method = context.Method.FullName;
        if (InternalTokens.IsPublic(method) || context.Options.Headers?.Get("authorization") is not null)
            return context;

        var token = (InternalTokens.AudienceOf(method) is { } audience ? tokens.Value.Find(audience) : null)
            ?? throw new RpcException(new Status(StatusCode.Unavailable, "This process has no service token yet."));

        // Copied: the headers belong to the caller, who may use them again for another service.
        var headers = new Metadata();
        foreach (var header in context.Options.Headers ?? Metadata.Empty)
            headers.Add(header);

        headers.Add("authorization", "Bearer " + token);
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers));
    }
}
