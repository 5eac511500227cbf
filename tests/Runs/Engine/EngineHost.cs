using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.Workflows;

namespace OpenWop.Micro.Runs.Tests.Engine;

internal sealed class EngineHost : IAsyncDisposable
{
    private const string Key = "hk_test_0123456789abcdef0123456789abcdef";

    private readonly WebApplication app;
    private readonly string folder;
    private readonly Metadata runsHeaders;
    private readonly Contracts.Workflows.V1.Workflows.WorkflowsClient workflowsClient;
    private readonly Metadata workflowsHeaders;

    private EngineHost(
        WebApplication app, string folder, Metadata runsHeaders, Contracts.Workflows.V1.Workflows.WorkflowsClient workflowsClient, Metadata workflowsHeaders)
    {
        this.app = app;
        this.folder = folder;
        Client = app.Services.GetRequiredService<Contracts.Runs.V1.Runs.RunsClient>();
        this.runsHeaders = runsHeaders;
        this.workflowsClient = workflowsClient;
        this.workflowsHeaders = workflowsHeaders;
    }

    public Contracts.Runs.V1.Runs.RunsClient Client { get; }

    /// <summary>Metadata of a caller with all scopes.</summary>
    public Metadata Headers => runsHeaders;

    public static async Task<EngineHost> StartAsync(Dictionary<string, string> workflows, string? folder = null, string[]? arguments = null)
    {
        folder ??= Directory.CreateTempSubdirectory("openwop-runs-").FullName;
        var builder = WebApplication.CreateBuilder(["--data", folder, "--urls", "http://127.0.0.1:0", $"--OPENWOP_API_KEY={Key}", .. arguments ?? []]);
        builder.AddServiceDefaults("runs");
        builder.AddKeyVerifier();
        builder.AddIdentity();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.AddRuns();
        builder.AddWorkflows();
        builder.AddServiceClient<Contracts.Workflows.V1.Workflows.WorkflowsClient>("workflows");
        builder.AddServiceClient<Contracts.Runs.V1.Runs.RunsClient>("runs");
        var app = builder.Build();
        app.MapIdentity();
        app.MapRuns();
        app.MapWorkflows();
        await app.StartAsync();
        var caller = await app.Services.GetRequiredService<KeyVerifier>().VerifyAsync(Key, CancellationToken.None);
        var client = app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>();
        foreach (var (workflowId, json) in workflows)
        {
            await client.PutDefinitionAsync(new PutDefinitionRequest { WorkflowId = workflowId, Json = ByteString.CopyFromUtf8(json) }, caller.HeadersFor("workflows"));
        }

        return new EngineHost(app, folder, caller.HeadersFor("runs"), client, caller.HeadersFor("workflows"));
    }

    public async Task<string> CreateAsync(string body) =>
        (await Client.CreateRunAsync(new CreateRunRequest { Body = ByteString.CopyFromUtf8(body) }, Headers)).RunId;

    /// <summary>Stores a workflow given by its nodes and edges (what the schema requires and tests do not care about is filled in) and runs it.</summary>
    public async Task<string> StoreAndCreateAsync(string workflowId, string nodes, string edges, string settings, string inputs)
    {
        var list = JsonNode.Parse($"[{nodes}]")!.AsArray();
        foreach (var node in list.Select(node => node!.AsObject()))
        {
            node.TryAdd("name", node["id"]!.GetValue<string>());
            node.TryAdd("position", new JsonObject { ["x"] = 0, ["y"] = 0 });
            node.TryAdd("config", new JsonObject());
            node.TryAdd("inputs", new JsonObject());
        }

        var definition = $$"""
            {"id":"{{workflowId}}","name":"{{workflowId}}","version":"1.0","nodes":{{list.ToJsonString()}},"edges":[{{edges}}],
             "triggers":[],"variables":[],"metadata":{},"settings":{{settings}} }
            """;
        await workflowsClient.PutDefinitionAsync(new PutDefinitionRequest { WorkflowId = workflowId, Json = ByteString.CopyFromUtf8(definition) }, workflowsHeaders);
        return await CreateAsync($$"""{"workflowId":"{{workflowId}}","inputs":{{inputs}} }""");
    }

    public async Task<string> StatusAsync(string runId) =>
        JsonElement.Parse((await Client.GetRunAsync(new GetRunRequest { RunId = runId }, Headers)).Snapshot.Span).GetProperty("status").GetString()!;

    public async Task<string> AnswerAsync(string runId, string nodeId, string value) => (await Client.ResolveInterruptAsync(new ResolveInterruptRequest
    {
        RunId = runId,
        NodeId = nodeId,
        ResumeValue = ByteString.CopyFromUtf8(value),
    }, Headers)).Status;

    public async Task<ReadEventsReply> WaitForEndAsync(string runId)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var call = Client.StreamFrames(new StreamFramesRequest { RunId = runId, Modes = { "debug" } }, Headers, cancellationToken: limit.Token);
        await foreach (var _ in call.ResponseStream.ReadAllAsync(limit.Token))
        {
        }

        return await Client.ReadEventsAsync(new ReadEventsRequest { RunId = runId }, Headers);
    }

    public IServiceProvider Services => app.Services;

    /// <summary>Ends the process, so to speak, and leaves its data in the folder returned.</summary>
    public async Task<string> StopAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        return folder;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
