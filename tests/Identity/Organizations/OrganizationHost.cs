using System.Text;
using System.Text.Json;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OrganizationsClient = OpenWop.Micro.Contracts.Identity.V1.Organizations.OrganizationsClient;

namespace OpenWop.Micro.Identity.Tests.Organizations;

/// <summary>Identity with a bootstrap token, and clients of its organizations in somebody's name.</summary>
internal sealed class OrganizationHost : IAsyncDisposable
{
    private readonly GrpcChannel _channel;

    private OrganizationHost(IdentityHost host)
    {
        Host = host;
        _channel = GrpcChannel.ForAddress(host.Address);
    }

    public IdentityHost Host { get; }

    /// <summary>Works once.</summary>
    public string BootstrapToken { get; private init; } = "";

    /// <summary>In the name of the gateway.</summary>
    public OrganizationsClient Service => new(_channel.Intercept(metadata =>
    {
        var token = Host.Services.GetRequiredService<Tokens.TokenIssuer>().ForService("gateway").ByAudience["identity"];
        metadata.Add("authorization", "Bearer " + token);
        return metadata;
    }));

    public static async Task<OrganizationHost> StartAsync(params string[] settings)
    {
        var token = "bootstrap-" + Guid.NewGuid().ToString("n");
        var host = await IdentityHost.StartAsync(settings: [$"--OPENWOP_BOOTSTRAP_TOKEN={token}", .. settings]);
        return new OrganizationHost(host) { BootstrapToken = token };
    }

    /// <summary>An organization of its own with one owner.</summary>
    public async Task<(string Key, Admission Admission)> BootstrapAsync(bool isTest = false)
    {
        var key = ApiKeyText.Create(isTest);
        var admission = await Service.BootstrapAsync(new FoundRequest
        {
            TokenHash = IdentityHost.HashOf(BootstrapToken),
            Name = "Ada",
            KeyHash = IdentityHost.HashOf(key),
            IsTest = isTest,
        });
        return (key, admission);
    }

    public async Task<OrganizationsClient> AsAsync(string key)
    {
        var token = (await Host.VerifyAsync(key)).Tokens["identity"];
        return new OrganizationsClient(_channel.Intercept(metadata =>
        {
            metadata.Add("authorization", "Bearer " + token);
            return metadata;
        }));
    }

    /// <summary>Invites somebody, who accepts.</summary>
    public async Task<(string Key, Admission Admission)> JoinAsync(string ownerKey, string role, string name = "Grace")
    {
        var token = "invitation-" + Guid.NewGuid().ToString("n");
        await (await AsAsync(ownerKey)).InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf(token), Role = role });
        return await AcceptAsync(token, name);
    }

    public async Task<(string Key, Admission Admission)> AcceptAsync(string token, string name = "Grace")
    {
        var key = ApiKeyText.Create(isTest: false);
        var admission = await Service.AcceptInvitationAsync(new AcceptInvitationRequest
        {
            TokenHash = IdentityHost.HashOf(token),
            Name = name,
            KeyHash = IdentityHost.HashOf(key),
            TestKeyHash = IdentityHost.HashOf(ApiKeyText.TestPrefix + key),
        });
        return (admission.Key.IsTest ? ApiKeyText.TestPrefix + key : key, admission);
    }

    public async Task<List<JsonElement>> AuditAsync(string key)
    {
        var reply = await (await AsAsync(key)).ListAuditAsync(new ListAuditRequest());
        return [.. reply.Entries.Select(entry => JsonDocument.Parse(Encoding.UTF8.GetString(entry.Entry.Span)).RootElement)];
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Host.DisposeAsync();
    }
}
