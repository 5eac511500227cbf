using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Testing;
using IdentityClient = OpenWop.Micro.Contracts.Identity.V1.Identity.IdentityClient;

namespace OpenWop.Micro.Identity.Tests;

/// <summary>
/// Identity on a free port, and beside it a service called <c>workflows</c> that tells who called. Settings as on a command line.
/// </summary>
internal sealed class IdentityHost : IAsyncDisposable
{
    public const string Secret = "a secret of more than thirty-two characters";
    public const string BootstrapKey = "hk_bootstrap-key-for-tests-0001";

    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly TempFolder? _ownFolder;

    private IdentityHost(WebApplication app, FakeTimeProvider time, TempFolder? ownFolder)
    {
        _app = app;
        _ownFolder = ownFolder;
        Time = time;
        _channel = GrpcChannel.ForAddress(app.Urls.Single());
        Network = new IdentityClient(_channel);
        NetworkWorkflows = new Workflows.WorkflowsClient(_channel);
    }

    public FakeTimeProvider Time { get; }

    public IServiceProvider Services => _app.Services;

    public string Address => _app.Urls.Single();

    /// <summary>Over HTTP/2, with no token but what the call carries.</summary>
    public IdentityClient Network { get; }

    public Workflows.WorkflowsClient NetworkWorkflows { get; }

    /// <summary>In process, with this process's service token.</summary>
    public IdentityClient Service => Services.GetRequiredService<IdentityClient>();

    public Workflows.WorkflowsClient ServiceWorkflows => Services.GetRequiredService<Workflows.WorkflowsClient>();

    public KeyVerifier Keys => Services.GetRequiredService<KeyVerifier>();

    public static async Task<IdentityHost> StartAsync(
        TempFolder? folder = null, FakeTimeProvider? time = null, Action<WebApplicationBuilder>? configure = null, params string[] settings)
    {
        var ownFolder = folder is null ? new TempFolder() : null;
        time ??= new FakeTimeProvider(DateTimeOffset.UtcNow);
        var builder = WebApplication.CreateBuilder([
            "--urls=http://127.0.0.1:0",
            $"--data={(folder ?? ownFolder)!.Path}",
            $"--{ServiceSecret.Setting}={Secret}",
            $"--OPENWOP_API_KEY={BootstrapKey}",
            .. settings]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.AddServiceDefaults("tester");
        builder.AddIdentity();
        builder.AddKeyVerifier();
        builder.Services.HostService("workflows");
        builder.AddServiceClient<Workflows.WorkflowsClient>("workflows");
        configure?.Invoke(builder);
        builder.Logging.ClearProviders();

        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapServiceOverGrpc<WhoCalls>();
        try
        {
            await app.StartAsync();
            return new IdentityHost(app, time, ownFolder);
        }
        catch
        {
            await app.DisposeAsync();
            ownFolder?.Dispose();
            throw;
        }
    }

    public async Task<VerifyKeyReply> VerifyAsync(string key)
    {
        // Whoever finds its token expired, after a jump of the clock, has it renewed, and does not wait for that.
        var tokens = Services.GetRequiredService<ServiceTokens>();
        await Eventually.TrueAsync(() => tokens.Find("identity") is not null);
        return await Service.VerifyKeyAsync(new VerifyKeyRequest { KeyHash = HashOf(key) });
    }

    /// <summary>A new key of a tenant, made by a service.</summary>
    public async Task<(string Key, ApiKey Info)> CreateKeyAsync(
        string tenant, string[] scopes, bool isTest = false, DateTimeOffset? expiresAt = null)
    {
        var key = ApiKeyText.Create(isTest);
        var info = await Service.CreateKeyAsync(new CreateKeyRequest
        {
            Tenant = tenant,
            KeyHash = HashOf(key),
            IsTest = isTest,
            Scopes = { scopes },
            ExpiresAt = expiresAt?.ToUnixTimeMilliseconds() ?? 0,
        });
        return (key, info);
    }

    /// <summary>A client of identity in the name of a key's holder.</summary>
    public async Task<IdentityClient> UserAsync(string key)
    {
        var token = (await VerifyAsync(key)).Tokens["identity"];
        return new IdentityClient(_channel.Intercept(metadata =>
        {
            metadata.Add("authorization", "Bearer " + token);
            return metadata;
        }));
    }

    public static ByteString HashOf(string key) => ByteString.CopyFrom(ApiKeyText.Hash(key));

    public static Metadata Bearer(string token) => new() { { "authorization", "Bearer " + token } };

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _ownFolder?.Dispose();
    }

    /// <summary>Answers with who called: the tenant it acts for, and the caller.</summary>
    internal sealed class WhoCalls : Workflows.WorkflowsBase
    {
        public override Task<Definition> GetDefinition(GetDefinitionRequest request, ServerCallContext context)
        {
            var caller = context.GetCaller();
            return Task.FromResult(new Definition
            {
                Owner = context.TenantOf(request.Tenant),
                WorkflowId = caller.Service ?? $"{caller.Principal} {caller.KeyId} {string.Join(',', caller.Scopes.Order())} {(caller.IsTest ? "test" : "live")}",
            });
        }
    }
}

internal static class Refusals
{
    /// <summary>Asserts how a call fails, and answers the exception.</summary>
    public static async Task<RpcException> FailsAsync<T>(this AsyncUnaryCall<T> call, StatusCode status)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(status, exception.StatusCode);
        return exception;
    }
}
