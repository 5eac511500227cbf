using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>Our client and our server, HTTP/2 without TLS on a port that serves HTTP/1.1 as well.</summary>
public sealed class SharedPortInteropTests : InteropCases, IAsyncLifetime
{
    private TestHost _server = null!;
    private ClientHost _client = null!;

    private protected override Protos.Interop.InteropClient Client => _client.Interop;

    private protected override UnimplementedService.UnimplementedServiceClient Stranger => _client.Stranger;

    public async Task InitializeAsync()
    {
        _server = await TestHost.StartAsync();
        _client = new ClientHost([_server.Address]);
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }
}

/// <summary>Our client and our server over TLS. The endpoint has the shared-port middleware in front and negotiates as ever.</summary>
public sealed class TlsInteropTests : InteropCases, IAsyncLifetime
{
    private readonly X509Certificate2 _certificate = SelfSignedCertificate.Create();
    private TestHost _server = null!;
    private ClientHost _client = null!;

    private protected override Protos.Interop.InteropClient Client => _client.Interop;

    private protected override UnimplementedService.UnimplementedServiceClient Stranger => _client.Stranger;

    public async Task InitializeAsync()
    {
        _server = await TestHost.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = _certificate)),
            url: "https://127.0.0.1:0");
        _client = new ClientHost([_server.Address], options => options.ConfigureHandler = handler =>
            handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == _certificate.GetCertHashString());
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        _certificate.Dispose();
    }
}
