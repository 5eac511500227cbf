using Grpc.Core;
using OpenWop.Micro.Grpc.InProcess;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>Sends each call to where its service lives: in this process, or over the network, which is opened at the first such call.</summary>
internal sealed class ServiceCallInvoker(InProcessServer server, InProcessChannelOptions options, Func<NetworkChannel> open) : CallInvoker, IDisposable
{
    private readonly InProcessCallInvoker _inProcess = new(server, options);
    private readonly Lock _opening = new();
    private NetworkChannel? _network;

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        => ChannelFor(method).BlockingUnaryCall(method, host, options, request);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        => ChannelFor(method).AsyncUnaryCall(method, host, options, request);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        => ChannelFor(method).AsyncServerStreamingCall(method, host, options, request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
        => ChannelFor(method).AsyncClientStreamingCall(method, host, options);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
        => ChannelFor(method).AsyncDuplexStreamingCall(method, host, options);

    public void Dispose()
    {
        lock (_opening)
            _network?.Dispose();
    }

    private CallInvoker ChannelFor(IMethod method) => server.HasService(method.ServiceName) ? _inProcess : Network().Invoker;

    private NetworkChannel Network()
    {
        if (Volatile.Read(ref _network) is { } network)
            return network;

        // A failure is not remembered: the next call asks for the addresses again.
        lock (_opening)
            return _network ??= open();
    }
}
