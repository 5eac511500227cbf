using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Activities;

namespace OpenWop.Micro.Runs.Nodes.Tests;

/// <summary>Runs one attempt of a registered node type; JSON goes in and comes out as text.</summary>
internal sealed class NodeHarness
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly NodeTypes Types = new(new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddSingleton(new EgressHttp(new EgressPolicy { AllowPrivate = true }))
        .AddBuiltInNodes()
        .BuildServiceProvider().GetServices<INodeHandler>());

    public required string TypeId { get; init; }
    public string RunId { get; init; } = "run-1";
    public string Config { get; init; } = "{}";
    public string Inputs { get; init; } = "{}";
    public string RunInputs { get; init; } = "{}";
    public string Variables { get; init; } = "{}";
    public string NodeOutputs { get; init; } = "{}";
    public string? LoopState { get; init; }
    public int Attempt { get; init; }
    public int Iteration { get; init; }

    public NodeContext Context => field ??= NewContext(null);

    public NodeContext NewContext(IActivityLedger? activities) => new()
    {
        Tenant = "tenant-1",
        RunId = RunId,
        WorkflowId = "flow",
        Node = new WorkflowNode
        {
            Id = "node-1",
            TypeId = TypeId,
            Name = "Node",
            Config = Json(Config),
            Inputs = [.. Json(Inputs).EnumerateObject().Select(port => KeyValuePair.Create<string, PortValue>(port.Name, new PortValue.Static(port.Value)))],
        },
        Attempt = Attempt,
        Iteration = Iteration,
        Now = Now,
        Inputs = Members(Inputs),
        RunInputs = Json(RunInputs),
        Variables = Members(Variables),
        NodeOutputs = Members(NodeOutputs),
        Configurable = Json("{}"),
        LoopState = LoopState is null ? null : Json(LoopState),
        Activities = activities,
    };

    public async Task<NodeOutcome> RunAsync(IActivityLedger activities, CancellationToken cancellationToken = default)
    {
        var handler = Types.Find(TypeId)!;
        Assert.False(handler.IsPure);
        return await handler.ExecuteAsync(NewContext(activities), cancellationToken);
    }

    public static JsonElement Json(string text) => JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 128 });

    public NodeOutcome Run()
    {
        var handler = Types.Find(TypeId)!;
        var pending = handler.ExecuteAsync(Context, CancellationToken.None).AsTask();
        Assert.True(handler.IsPure);
        Assert.True(pending.IsCompletedSuccessfully, "A pure node does not wait.");
        return pending.GetAwaiter().GetResult();
    }

    public string Completes() => Outputs(Assert.IsType<NodeOutcome.Completed>(Run()).Outputs);

    public NodeError Fails() => Assert.IsType<NodeOutcome.Failed>(Run()).Error;

    public static string Outputs(JsonElement value) => value.GetRawText();

    private static ImmutableSortedDictionary<string, JsonElement> Members(string text) =>
        Json(text).EnumerateObject().ToImmutableSortedDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal);
}
