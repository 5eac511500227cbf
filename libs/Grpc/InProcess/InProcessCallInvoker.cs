using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// Calls the services of an <see cref="InProcessServer"/> through their generated clients: no socket, no serialization, the
/// semantics of the network (deadlines, cancellation, status, headers and trailers, interceptors, size limits, backpressure).
/// </summary>
public sealed class InProcessCallInvoker : CallInvoker
{
    private readonly InProcessServer _server;
    private readonly InProcessChannelOptions _options;

    public InProcessCallInvoker(InProcessServer server, InProcessChannelOptions? options = null)
    {
        _server = server;
        _options = options ?? new InProcessChannelOptions();
    }

    /// <summary>Blocks the calling thread until the response is there.</summary>
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        => Start(method, host, options, request).ResponseAsync.GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Start(method, host, options, request);
        return new AsyncUnaryCall<TResponse>(
            call.ResponseAsync,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.Status,
            Callbacks<TRequest, TResponse>.Trailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Start(method, host, options, request);
        return new AsyncServerStreamingCall<TResponse>(
            new ClientResponseStream<TRequest, TResponse>(call),
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.Status,
            Callbacks<TRequest, TResponse>.Trailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = Start(method, host, options, request: null);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            new ClientRequestStream<TRequest, TResponse>(call),
            call.ResponseAsync,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.Status,
            Callbacks<TRequest, TResponse>.Trailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = Start(method, host, options, request: null);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            new ClientRequestStream<TRequest, TResponse>(call),
            new ClientResponseStream<TRequest, TResponse>(call),
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.Status,
            Callbacks<TRequest, TResponse>.Trailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    private InProcessCall<TRequest, TResponse> Start<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, in CallOptions options, TRequest? request)
        where TRequest : class
        where TResponse : class
    {
        if (options.Deadline is { Kind: not DateTimeKind.Utc } deadline && deadline != DateTime.MaxValue && deadline != DateTime.MinValue)
            throw new InvalidOperationException("Deadline must have a kind DateTimeKind.Utc or be equal to DateTime.MaxValue or DateTime.MinValue.");

        var ambient = _options.PropagateCallContext ? AmbientCall.Current : null;
        var call = new InProcessCall<TRequest, TResponse>(
            _server, method, host, options, AmbientCall.EarlierDeadline(options.Deadline, ambient), _options);
        call.Start(request, ambient, options.CancellationToken);
        return call;
    }

    /// <summary>The client side of a call is the call itself; these turn it into what the generated client wants, without closures.</summary>
    private static class Callbacks<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public static readonly Func<object, Task<Metadata>> ResponseHeaders = static call => ((InProcessCall<TRequest, TResponse>)call).GetResponseHeadersAsync();
        public static readonly Func<object, Status> Status = static call => ((InProcessCall<TRequest, TResponse>)call).GetStatus();
        public static readonly Func<object, Metadata> Trailers = static call => ((InProcessCall<TRequest, TResponse>)call).GetTrailers();
        public static readonly Action<object> Dispose = static call => ((InProcessCall<TRequest, TResponse>)call).Dispose();
    }
}
