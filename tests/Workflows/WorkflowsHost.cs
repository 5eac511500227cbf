using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Tests;

/// <summary>The real service on a database of its own, with identity beside it, and clients of it.</summary>
internal sealed class WorkflowsHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string Tenant, string Scopes), Lazy<Task<Metadata>>> _users = [];
    private readonly WebApplication _app;
    private readonly TempFolder? _folder;

    private WorkflowsHost(WebApplication app, TempFolder? folder)
    {
        _app = app;
        _folder = folder;
        Client = app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>();
    }

    /// <summary>Calls in the name of a service, unless they carry the metadata of <see cref="UserAsync"/>.</summary>
    public Contracts.Workflows.V1.Workflows.WorkflowsClient Client { get; }

    /// <summary>For what no client can do: storing seeds.</summary>
    public WorkflowStore Store => _app.Services.GetRequiredService<WorkflowStore>();

    public Database Database => _app.Services.GetRequiredKeyedService<Database>("workflows");

    /// <param name="data">Folder of the database; null = one that is deleted with the host.</param>
    /// <param name="settings">Settings such as <c>OPENWOP_FIXTURES=folder</c>.</param>
    public static async Task<WorkflowsHost> StartAsync(string? data = null, params string[] settings)
    {
        var folder = data is null ? new TempFolder() : null;
        var builder = WebApplication.CreateBuilder(
            ["--data", data ?? folder!.Path, "--urls", "http://127.0.0.1:0", .. settings.Select(setting => $"--{setting}")]);
        builder.AddServiceDefaults("workflows");
        builder.AddIdentity();
        builder.AddKeyVerifier();
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.AddWorkflows();
        builder.AddServiceClient<Contracts.Workflows.V1.Workflows.WorkflowsClient>("workflows");
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapWorkflows();
        await app.StartAsync();
        return new WorkflowsHost(app, folder);
    }

    /// <summary>A valid definition.</summary>
    public static string Definition(string id, string name = "Test", int padding = 0) => new JsonObject
    {
        ["id"] = id,
        ["name"] = name,
        ["version"] = "1.0",
        ["nodes"] = new JsonArray(new JsonObject
        {
            ["id"] = "a",
            ["typeId"] = "vendor.acme.not-registered",
            ["name"] = "a",
            ["position"] = new JsonObject { ["x"] = 0, ["y"] = 0 },
            ["config"] = new JsonObject { ["padding"] = new string('x', padding) },
            ["inputs"] = new JsonObject(),
        }),
        ["edges"] = new JsonArray(),
        ["triggers"] = new JsonArray(),
        ["variables"] = new JsonArray(),
        ["metadata"] = new JsonObject(),
        ["settings"] = new JsonObject(),
    }.ToJsonString();

    /// <summary>Metadata of a user of a tenant, with a key that identity has made.</summary>
    public Task<Metadata> UserAsync(string tenant, params string[] scopes) =>
        _users.GetOrAdd((tenant, string.Join(' ', scopes)), _ => new Lazy<Task<Metadata>>(() => CreateUserAsync(tenant, scopes))).Value;

    /// <summary>Stores in the name of a user of <paramref name="tenant"/>.</summary>
    public async Task<PutDefinitionReply> PutAsync(
        string id, string json, string ifMatch = "", bool ifNoneMatch = false, string requestId = "", string tenant = "acme") =>
        await Client.PutDefinitionAsync(
            new PutDefinitionRequest
            {
                WorkflowId = id,
                Json = ByteString.CopyFromUtf8(json),
                IfMatch = ifMatch,
                IfNoneMatch = ifNoneMatch,
                RequestId = requestId,
            },
            await UserAsync(tenant));

    /// <summary>Stores as the seeding does.</summary>
    public Task<PutResult> SeedAsync(string id, string json) =>
        Store.PutAsync(WorkflowStore.SeedOwner, id, Encoding.UTF8.GetBytes(json), Expectation.None, null, "seed", CancellationToken.None);

    /// <summary>Reads as a service does that acts for <paramref name="tenant"/>.</summary>
    public async Task<Definition> GetAsync(string id, long version = 0, string tenant = "acme", string owner = "") =>
        await Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = id, Version = version, Tenant = tenant, Owner = owner });

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }

    private async Task<Metadata> CreateUserAsync(string tenant, string[] scopes)
    {
        var key = ApiKeyText.Create(isTest: false);
        await _app.Services.GetRequiredService<Contracts.Identity.V1.Identity.IdentityClient>().CreateKeyAsync(new CreateKeyRequest
        {
            Tenant = tenant,
            KeyHash = ByteString.CopyFrom(ApiKeyText.Hash(key)),
            Name = "test",
            Scopes = { scopes.Length == 0 ? [Caller.AllScopes] : scopes },
        });
        var verified = await _app.Services.GetRequiredService<KeyVerifier>().VerifyAsync(key, CancellationToken.None);
        return verified.HeadersFor("workflows");
    }
}
