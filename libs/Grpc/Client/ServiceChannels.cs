using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenWop.Micro.Grpc.InProcess;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>The channels of this host to the services of the suite, one per name of a service. Owns the network connections.</summary>
internal sealed class ServiceChannels(
    IServiceProvider services, IOptionsMonitor<ServiceGrpcClientOptions> options, InProcessServer inProcess, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<string, ServiceCallInvoker> _byName = new(StringComparer.Ordinal);

    /// <summary>The channel to a service, with the interceptors of its options.</summary>
    public CallInvoker Get(string name)
    {
        var settings = options.Get(name);
        var channel = _byName.GetOrAdd(name, _ => new ServiceCallInvoker(
            inProcess,
            new InProcessChannelOptions
            {
                MaxReceiveMessageSize = settings.MaxReceiveMessageSize,
                MaxSendMessageSize = settings.MaxSendMessageSize,
                PropagateCallContext = settings.PropagateCallContext,
            },
            () => NetworkChannel.Open(name, settings.Addresses(services, name), settings.Instances(services, name), settings, time, loggers)));

        return settings.Interceptors.Count == 0
            ? channel
            : channel.Intercept([.. settings.Interceptors.Select(interceptor => interceptor(services))]);
    }

    public void Dispose()
    {
        foreach (var channel in _byName.Values)
            channel.Dispose();
    }
}
