using Grpc.Core.Interceptors;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>How this host reaches another service. Named options, by the name of the service.</summary>
public sealed class ServiceGrpcClientOptions
{
    /// <summary>Where the service of this name listens; null when it is expected to live in this host. Asked at the first call over the network.</summary>
    public Func<IServiceProvider, string, ServiceAddresses?> Addresses { get; set; } = static (_, _) => null;

    /// <summary>Who knows which of the instances get calls; null when each channel asks them itself.</summary>
    public Func<IServiceProvider, string, ServiceInstances?> Instances { get; set; } = static (_, _) => null;

    /// <summary>Interceptors of the client, outermost first; for both channels.</summary>
    public IList<Func<IServiceProvider, Interceptor>> Interceptors { get; } = [];

    /// <summary>Bytes a response may have; null is unlimited.</summary>
    public int? MaxReceiveMessageSize { get; set; } = GrpcLimits.MaxMessageSize;

    /// <summary>Bytes a request may have; null is unlimited, the server has a limit of its own.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Whether calls made while a server call is being handled inherit its deadline and its cancellation.</summary>
    public bool PropagateCallContext { get; set; } = true;

    /// <summary>
    /// Whether a call is tried again, up to three times in all, when it reached no server or a server answered <c>Unavailable</c>.
    /// A call whose connection broke after it was sent is never tried again: nobody knows whether it was carried out.
    /// </summary>
    public bool Retry { get; set; } = true;

    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause after the first failed connection attempt; it doubles up to <see cref="MaxReconnectBackoff"/>.</summary>
    public TimeSpan InitialReconnectBackoff { get; set; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxReconnectBackoff { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After how much silence on a connection that has calls the other side is asked whether it is still there.</summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the answer may take before the connection counts as broken.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the instances behind a <c>dns:///</c> address are called over TLS.</summary>
    public bool SecureNames { get; set; }

    /// <summary>Last changes to the connection handler, for example certificates.</summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; set; }
}
