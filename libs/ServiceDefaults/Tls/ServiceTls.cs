using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.ServiceDefaults.Tls;

/// <summary>Registration of <see cref="ServiceCertificates"/> from <c>OPENWOP_TLS_CERT</c>, <c>OPENWOP_TLS_KEY</c> and <c>OPENWOP_TLS_CA</c>.</summary>
public static class ServiceTls
{
    private const string Certificate = "OPENWOP_TLS_CERT";
    private const string Key = "OPENWOP_TLS_KEY";
    private const string Authorities = "OPENWOP_TLS_CA";

    /// <summary>Whether the processes of the installation call each other over TLS.</summary>
    public static bool UsesServiceTls(this IConfiguration configuration) => Files(configuration).Length > 0;

    /// <exception cref="InvalidOperationException">Some of the settings are there and some are not.</exception>
    internal static void AddServiceTls(this WebApplicationBuilder builder, HostedServices hosted)
    {
        if (Files(builder.Configuration) is not [var certificate, var key, var authorities])
            return;

        builder.Services.AddSingleton(provider => new ServiceCertificates(new CertificateFiles(
            certificate, key, authorities, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<CertificateFiles>>())));
        builder.Services.AddSingleton<IStartupFilter>(provider => new CertificateRule(hosted, provider.GetRequiredService<ServiceCertificates>()));

        // The public address of a gateway has a certificate that the world trusts, or something before it that has.
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ServiceCertificates>((kestrel, certificates) => kestrel.ConfigureHttpsDefaults(https =>
        {
            if (!CertificateRule.IsPublic(hosted))
                certificates.ToBeCalled(https);
        }));
    }

    private static string[] Files(IConfiguration configuration)
    {
        string[] files = [.. new[] { Certificate, Key, Authorities }.Select(name => configuration[name]).OfType<string>().Where(path => path.Length > 0)];
        return files.Length is 0 or 3 ? files : throw new InvalidOperationException($"{Certificate}, {Key} and {Authorities} are needed together.");
    }
}

/// <summary>
/// In a process that is not public, who shows no certificate is told whether the process lives and is ready, and nothing else, whatever
/// address it came in by.
/// </summary>
internal sealed class CertificateRule(HostedServices hosted, ServiceCertificates certificates) : IStartupFilter
{
    private static readonly byte[] Refusal = new ProtocolError(ErrorCodes.Forbidden, "Calls inside the installation need its certificate.").ToUtf8Bytes();

    public static bool IsPublic(HostedServices hosted) => hosted.Contains("gateway");

    /// <exception cref="InvalidOperationException">The files cannot be used.</exception>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        certificates.Check();
        if (!IsPublic(hosted))
            app.Use(CheckAsync);

        next(app);
    };

    private static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Connection.ClientCertificate is not null || context.Request.Path.Value is "/healthz" or "/readyz")
            return next(context);

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = Refusal.Length;
        return context.Response.Body.WriteAsync(Refusal, context.RequestAborted).AsTask();
    }
}
