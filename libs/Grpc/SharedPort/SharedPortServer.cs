using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OpenWop.Micro.Grpc.SharedPort;

/// <summary>
/// The host's server, and beside it the one that serves the connections handed over. To the host they are one: it sees the public
/// addresses only.
/// </summary>
internal sealed class SharedPortServer(
    IServer publicServer, Http2HandOver handOver, IOptions<KestrelServerOptions> options, ILoggerFactory loggers) : IServer
{
    private KestrelServer? _http2;

    public IFeatureCollection Features => publicServer.Features;

    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        // First, so that the first connection already has somebody to go to.
        _http2 = new KestrelServer(Options.Create(SettingsForHttp2()), handOver, loggers);
        await _http2.StartAsync(application, cancellationToken).ConfigureAwait(false);
        await publicServer.StartAsync(application, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Both at once: the public server waits for its connections, and those handed over end when the other lets them go.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
        => Task.WhenAll(publicServer.StopAsync(cancellationToken), _http2?.StopAsync(cancellationToken) ?? Task.CompletedTask);

    public void Dispose()
    {
        publicServer.Dispose();
        _http2?.Dispose();
    }

    /// <summary>The host's limits and switches with an endpoint that is no port. Counting connections stays with the public server.</summary>
    private KestrelServerOptions SettingsForHttp2()
    {
        var configured = options.Value;
        var settings = new KestrelServerOptions();
        CopySettings(configured, settings, except: nameof(KestrelServerOptions.ConfigurationLoader));
        CopySettings(configured.Limits, settings.Limits);
        CopySettings(configured.Limits.Http2, settings.Limits.Http2);
        settings.Limits.MaxConcurrentConnections = null;
        settings.Listen(handOver.EndPoint, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        return settings;
    }

    /// <summary>Whatever can be set publicly, so that a setting that Kestrel gains is not forgotten.</summary>
    private static void CopySettings<T>(T from, T to, string? except = null)
    {
        foreach (var setting in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (setting.GetSetMethod() is not null && setting.Name != except)
                setting.SetValue(to, setting.GetValue(from));
        }
    }
}
