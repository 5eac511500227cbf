using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// Lets a call in only with a valid token for this service, and notes who makes it. The token in <c>authorization</c> is the
/// only thing about a caller that is believed.
/// </summary>
internal sealed class CallerInterceptor(TokenVerifier tokens) : Interceptor
{
    private const string Scheme = "Bearer ";

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await AuthenticateAsync(context).ConfigureAwait(false);
        return await continuation(request, context).ConfigureAwait(false);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthenticateAsync(context).ConfigureAwait(false);
        return await continuation(requestStream, context).ConfigureAwait(false);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthenticateAsync(context).ConfigureAwait(false);
        await continuation(request, responseStream, context).ConfigureAwait(false);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthenticateAsync(context).ConfigureAwait(false);
        await continuation(requestStream, responseStream, context).ConfigureAwait(false);
    }

    private async ValueTask AuthenticateAsync(ServerCallContext context)
    {
        if (InternalTokens.IsPublic(context.Method))
            return;

        var caller = InternalTokens.AudienceOf(context.Method) is { } audience && ReadToken(context.RequestHeaders) is { } token
            ? await tokens.VerifyAsync(token, audience, context.CancellationToken).ConfigureAwait(false)
            : null;
        context.SetCaller(caller ?? throw new RpcException(new Status(StatusCode.Unauthenticated, "The call carries no valid internal token.")));
    }

    private static string? ReadToken(Metadata headers) =>
        headers.GetValue("authorization") is { } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value[Scheme.Length..]
            : null;
}
