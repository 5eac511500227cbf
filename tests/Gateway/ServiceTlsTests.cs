using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.Testing;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>Mutual TLS between a gateway and the identity service in another process, with certificates made here.</summary>
public sealed class ServiceTlsTests : IAsyncLifetime
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private const string Key = "hk_test_0123456789abcdef0123456789abcdef";

    private readonly TempFolder _data = new();
    private readonly Authority _ours = new("ours");
    private readonly Authority _foreign = new("foreign");
    private readonly List<WebApplication> _hosts = [];

    public Task InitializeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("https://127.0.0.1:")]
    [InlineData("dns:///localhost:")]
    public async Task Services_call_each_other_with_certificates_of_the_installation(string address)
    {
        // The certificate names the service, and no address.
        var identity = await StartIdentityAsync(_ours, "identity");
        var gateway = await StartGatewayAsync(_ours, address + identity.Port);

        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway));

        // The probes of the proxy as well; the name may stand for another address, where nobody is.
        await Eventually.TrueAsync(() => gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("identity", out var cluster)
            && cluster.DestinationsState.AvailableDestinations.All(destination => destination.Health.Active == DestinationHealth.Healthy));
    }

    [Fact]
    public async Task A_server_with_a_certificate_of_somebody_else_is_not_called()
    {
        var identity = await StartIdentityAsync(_foreign, "identity");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(await StartGatewayAsync(_ours, identity.ToString())));
    }

    [Fact]
    public async Task A_server_with_the_certificate_of_another_service_is_not_called()
    {
        var identity = await StartIdentityAsync(_ours, "runs");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(await StartGatewayAsync(_ours, identity.ToString())));
    }

    [Fact]
    public async Task A_caller_without_a_certificate_learns_whether_the_process_is_ready_and_nothing_else()
    {
        var identity = await StartIdentityAsync(_ours, "identity");
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = Trusting(null) }) { BaseAddress = identity };

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/healthz", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/readyz", UriKind.Relative))).StatusCode);
        await (await client.GetAsync(new Uri("/anything", UriKind.Relative))).ErrorAsync(403, "forbidden");
        Assert.Equal(StatusCode.PermissionDenied, await CallAsync(identity, null));
    }

    [Fact]
    public async Task A_caller_with_a_certificate_of_somebody_else_is_turned_away_at_the_door()
    {
        var identity = await StartIdentityAsync(_ours, "identity");

        // A certificate gets through to the check of service tokens.
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(identity, _ours.Issue("gateway")));
        Assert.NotEqual(StatusCode.Unauthenticated, await CallAsync(identity, _foreign.Issue("gateway")));
    }

    [Fact]
    public async Task What_a_service_that_is_not_there_would_do_is_a_capability_that_is_not_provided()
    {
        var identity = await StartIdentityAsync(_ours, "identity");
        using var client = new HttpClient { BaseAddress = new Uri((await StartGatewayAsync(_ours, identity.ToString())).Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);

        await (await client.GetAsync(new Uri("/v1/runs/run-1", UriKind.Relative))).ErrorAsync(501, "capability_not_provided");
    }

    [Fact]
    public async Task Settings_that_are_incomplete_or_lead_nowhere_end_the_start()
    {
        Assert.Contains("needed together", Assert.Throws<InvalidOperationException>(() =>
            WebApplication.CreateBuilder(["--OPENWOP_TLS_CERT=/a.pem"]).AddServiceDefaults("runs")).Message, StringComparison.Ordinal);

        var builder = WebApplication.CreateBuilder(
            ["--urls=http://127.0.0.1:0", $"--data={_data.Path}", "--OPENWOP_TLS_CERT=/a.pem", "--OPENWOP_TLS_KEY=/b.pem", "--OPENWOP_TLS_CA=/c.pem", $"--OPENWOP_SERVICE_SECRET={Secret}"]);
        builder.AddServiceDefaults("identity");
        builder.Logging.ClearProviders();
        builder.AddIdentity();
        await using var app = builder.Build();
        app.MapIdentity();
        Assert.Contains("certificate files", (await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync())).Message, StringComparison.Ordinal);
    }

    public async Task DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync();
            await host.DisposeAsync();
        }

        _ours.Dispose();
        _foreign.Dispose();
        _data.Dispose();
    }

    private async Task<Uri> StartIdentityAsync(Authority authority, string name)
    {
        var builder = WebApplication.CreateBuilder(
            ["--urls=https://127.0.0.1:0", $"--data={Path.Combine(_data.Path, "identity")}", $"--OPENWOP_API_KEY={Key}", $"--OPENWOP_SERVICE_SECRET={Secret}", .. Tls(authority, name)]);
        builder.AddServiceDefaults("identity");
        builder.Logging.ClearProviders();
        builder.AddIdentity();
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        await app.StartAsync();
        _hosts.Add(app);
        return new Uri(app.Urls.Single());
    }

    private async Task<WebApplication> StartGatewayAsync(Authority authority, string identity)
    {
        var builder = WebApplication.CreateBuilder(
            ["--urls=http://127.0.0.1:0", $"--data={Path.Combine(_data.Path, "gateway")}", $"--OPENWOP_IDENTITY_URL={identity}", $"--OPENWOP_SERVICE_SECRET={Secret}", .. Tls(authority, "gateway")]);
        builder.AddServiceDefaults(GatewayService.Name);
        builder.Logging.ClearProviders();
        builder.AddGateway();
        var app = builder.Build();
        app.UseGateway();
        app.MapServiceDefaults();
        app.MapGateway();
        await app.StartAsync();
        _hosts.Add(app);
        return app;
    }

    private IEnumerable<string> Tls(Authority authority, string name)
    {
        using var issued = authority.Issue(name);
        var (certificate, key, authorities) = (_data.File($"{authority.Name}-{name}.pem"), _data.File($"{authority.Name}-{name}.key"), _data.File("ca.pem"));
        File.WriteAllText(certificate, issued.ExportCertificatePem());
        File.WriteAllText(key, issued.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(authorities, authority.Certificate.ExportCertificatePem());
        return [$"--OPENWOP_TLS_CERT={certificate}", $"--OPENWOP_TLS_KEY={key}", $"--OPENWOP_TLS_CA={authorities}"];
    }

    /// <summary>A public operation that needs the identity service: secrets of the tenant.</summary>
    private static async Task<HttpStatusCode> AskAsync(WebApplication gateway)
    {
        using var client = new HttpClient { BaseAddress = new Uri(gateway.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        using var response = await client.GetAsync(new Uri("/v1/secrets", UriKind.Relative));
        return response.StatusCode;
    }

    private static async Task<StatusCode> CallAsync(Uri identity, X509Certificate2? certificate)
    {
        using var channel = GrpcChannel.ForAddress(identity, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = Trusting(certificate) },
            DisposeHttpClient = true,
        });
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await new Vault.VaultClient(channel).ListAsync(new ListSecretsRequest()));
        return failure.StatusCode;
    }

    /// <summary>Whoever the server is; what it makes of us is the question.</summary>
    private static SslClientAuthenticationOptions Trusting(X509Certificate2? certificate) => new()
    {
        RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null,
        ClientCertificates = certificate is null ? null : [certificate],
        LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
    };

    /// <summary>Issues certificates that live as long as a test.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public Authority(string name)
        {
            Name = name;
            var request = new CertificateRequest("CN=" + name, _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
        }

        public string Name { get; }

        public X509Certificate2 Certificate { get; }

        public X509Certificate2 Issue(string dnsName)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=" + dnsName, key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(dnsName);
            request.CertificateExtensions.Add(names.Build());
            using var issued = request.Create(Certificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
            return issued.CopyWithPrivateKey(key);
        }

        public void Dispose()
        {
            Certificate.Dispose();
            _key.Dispose();
        }
    }
}
