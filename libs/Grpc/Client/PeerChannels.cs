using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Channels to single instances of a service, for calls that only one of them can answer. Calls are made once: whoever asks for a certain
/// instance decides by itself what a failure means. Connections are opened at the first call and closed when unused for some minutes,
/// because instances come and go.
/// </summary>
/// <param name="services">Where the interceptors of the clients come from.</param>
public sealed class PeerChannels(
    IServiceProvider services, IOptionsMonitor<ServiceGrpcClientOptions> options, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);

    private readonly Dictionary<(string Name, Uri Address), Peer> _peers = [];
    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>The channel to the instance at an address, with the options and interceptors of the service's clients.</summary>
    /// <param name="name">The name of the service.</param>
    public CallInvoker Get(string name, Uri address)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_peers.TryGetValue((name, address), out var peer))
            {
                CloseIdle();
                _peers[(name, address)] = peer = Open(name, address);
            }

            peer.UsedAt = time.GetTimestamp();
            return peer.Invoker;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var peer in _peers.Values)
                peer.Channel.Dispose();

            _peers.Clear();
        }
    }

    private Peer Open(string name, Uri address)
    {
        var settings = options.Get(name);
        var channel = NetworkChannel.Open(name, new ServiceAddresses([address]), instances: null, settings, time, loggers, retry: false);
        var invoker = settings.Interceptors.Count == 0
            ? channel.Invoker
            : channel.Invoker.Intercept([.. settings.Interceptors.Select(interceptor => interceptor(services))]);
        return new Peer(channel, invoker);
    }

    private void CloseIdle()
    {
        foreach (var (key, peer) in _peers.Where(entry => time.GetElapsedTime(entry.Value.UsedAt) > Idle).ToList())
        {
            _peers.Remove(key);
            peer.Channel.Dispose();
        }
    }

    private sealed class Peer(NetworkChannel channel, CallInvoker invoker)
    {
        public NetworkChannel Channel => channel;

        public CallInvoker Invoker => invoker;

        public long UsedAt { get; set; }
    }
}
