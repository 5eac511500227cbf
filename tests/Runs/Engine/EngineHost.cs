using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.Workflows;

namespace OpenWop.Micro.Runs.Tests.Engine;

internal sealed class EngineHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly string folder;

    private EngineHost(WebApplication app, string folder)
    {
        this.app = app;
        this.folder = folder;
        Client = app.Services.GetRequiredService<Contracts.Runs.V1.Runs.RunsClient>();
    }

    public Contracts.Runs.V1.Runs.RunsClient Client { get; }

    public static async Task<EngineHost> StartAsync(Dictionary<string, string> workflows, string? folder = null)
    {
        folder ??= Directory.CreateTempSubdirectory("openwop-runs-").FullName;
        var builder = WebApplication.CreateBuilder(["--data", folder, "--urls", "http://127.0.0.1:0"]);
        builder.AddServiceDefaults("runs");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.AddRuns();
        builder.AddWorkflows();
        builder.AddServiceClient<Contracts.Workflows.V1.Workflows.WorkflowsClient>("workflows");
        builder.AddServiceClient<Contracts.Runs.V1.Runs.RunsClient>("runs");
        var app = builder.Build();
        app.MapRuns();
        app.MapWorkflows();
        await app.StartAsync();
        var client = app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>();
        foreach (var (workflowId, json) in workflows)
        {
            await client.PutDefinitionAsync(new PutDefinitionRequest { WorkflowId = workflowId, Json = ByteString.CopyFromUtf8(json) });
        }

        return new EngineHost(app, folder);
    }

    public async Task<string> CreateAsync(string body) =>
        (await Client.CreateRunAsync(new CreateRunRequest { Body = ByteString.CopyFromUtf8(body) })).RunId;

    public async Task<string> StatusAsync(string runId) =>
        JsonElement.Parse((await Client.GetRunAsync(new GetRunRequest { RunId = runId })).Snapshot.Span).GetProperty("status").GetString()!;

    public async Task<string> AnswerAsync(string runId, string nodeId, string value) => (await Client.ResolveInterruptAsync(new ResolveInterruptRequest
    {
        RunId = runId,
        NodeId = nodeId,
        ResumeValue = ByteString.CopyFromUtf8(value),
    })).Status;

    public async Task<ReadEventsReply> WaitForEndAsync(string runId)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var call = Client.StreamFrames(new StreamFramesRequest { RunId = runId, Modes = { "debug" } }, cancellationToken: limit.Token);
        await foreach (var _ in call.ResponseStream.ReadAllAsync(limit.Token))
        {
        }

        return await Client.ReadEventsAsync(new ReadEventsRequest { RunId = runId });
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
