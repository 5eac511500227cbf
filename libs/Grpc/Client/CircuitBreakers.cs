using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>The breakers of a channel, one per instance. They outlive connections, so that an instance is not forgiven by reconnecting.</summary>
/// <param name="leftAlone">Told when an instance gets no more calls, and for how long.</param>
internal sealed partial class CircuitBreakers(string service, Action<Uri, TimeSpan>? leftAlone, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, CircuitBreaker> _byAuthority = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="authority"><c>host:port</c>.</param>
    public CircuitBreaker Of(string authority) => _byAuthority.GetOrAdd(authority, static (_, time) => new CircuitBreaker(time), time);

    /// <summary>Notes how a call to an instance ended.</summary>
    public void Report(Uri instance, bool answered)
    {
        var breaker = Of(AuthorityOf(instance.Host, instance.Port));
        if (answered)
        {
            if (breaker.Succeeded())
                Log.Closed(logger, service, instance.Authority);
        }
        else if (breaker.Failed() is { } pause)
        {
            Log.Opened(logger, service, instance.Authority, pause.TotalMilliseconds);
            leftAlone?.Invoke(instance, pause);
        }
    }

    public static string AuthorityOf(string host, int port) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{host}:{port}");

    private static partial class Log
    {
        [LoggerMessage(EventId = 1301, Level = LogLevel.Warning, Message = "{Service} at {Instance} does not answer calls and is left alone for {Milliseconds} ms")]
        public static partial void Opened(ILogger logger, string service, string instance, double milliseconds);

        [LoggerMessage(EventId = 1302, Level = LogLevel.Information, Message = "{Service} at {Instance} answers calls again")]
        public static partial void Closed(ILogger logger, string service, string instance);
    }
}
