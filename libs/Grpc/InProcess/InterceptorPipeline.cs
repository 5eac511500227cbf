using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// Wraps a handler in the server's interceptors; the first registered one is the outermost. Each is created per call by the
/// host's activator from the scope of the call, as on the network. Built once per method.
/// </summary>
internal static class InterceptorPipeline
{
    public static UnaryServerMethod<TRequest, TResponse> Unary<TRequest, TResponse>(
        IReadOnlyList<InterceptorRegistration> interceptors, UnaryServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
        => interceptors.Reverse().Aggregate(handler, static (next, registration) => async (request, context) =>
        {
            await using var interceptor = ActiveInterceptor.Create(registration, context);
            return await interceptor.Instance.UnaryServerHandler(request, context, next).ConfigureAwait(false);
        });

    public static ClientStreamingServerMethod<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(
        IReadOnlyList<InterceptorRegistration> interceptors, ClientStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
        => interceptors.Reverse().Aggregate(handler, static (next, registration) => async (requests, context) =>
        {
            await using var interceptor = ActiveInterceptor.Create(registration, context);
            return await interceptor.Instance.ClientStreamingServerHandler(requests, context, next).ConfigureAwait(false);
        });

    public static ServerStreamingServerMethod<TRequest, TResponse> ServerStreaming<TRequest, TResponse>(
        IReadOnlyList<InterceptorRegistration> interceptors, ServerStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
        => interceptors.Reverse().Aggregate(handler, static (next, registration) => async (request, responses, context) =>
        {
            await using var interceptor = ActiveInterceptor.Create(registration, context);
            await interceptor.Instance.ServerStreamingServerHandler(request, responses, context, next).ConfigureAwait(false);
        });

    public static DuplexStreamingServerMethod<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(
        IReadOnlyList<InterceptorRegistration> interceptors, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
        => interceptors.Reverse().Aggregate(handler, static (next, registration) => async (requests, responses, context) =>
        {
            await using var interceptor = ActiveInterceptor.Create(registration, context);
            await interceptor.Instance.DuplexStreamingServerHandler(requests, responses, context, next).ConfigureAwait(false);
        });

    private readonly struct ActiveInterceptor(IGrpcInterceptorActivator activator, GrpcActivatorHandle<Interceptor> handle) : IAsyncDisposable
    {
        public Interceptor Instance => handle.Instance;

        public static ActiveInterceptor Create(InterceptorRegistration registration, ServerCallContext context)
        {
            var services = InProcessCallContext.From(context).Services;
            var activator = (IGrpcInterceptorActivator)services.GetRequiredService(typeof(IGrpcInterceptorActivator<>).MakeGenericType(registration.Type));
            return new ActiveInterceptor(activator, activator.Create(services, registration));
        }

        public ValueTask DisposeAsync() => activator.ReleaseAsync(handle);
    }
}
