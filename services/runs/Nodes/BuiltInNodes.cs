using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Nodes.Agents;
using OpenWop.Micro.Runs.Nodes.Artifacts;
using OpenWop.Micro.Runs.Nodes.Blocks;
using OpenWop.Micro.Runs.Nodes.Conformance;
using OpenWop.Micro.Runs.Nodes.Data;
using OpenWop.Micro.Runs.Nodes.Flow;
using OpenWop.Micro.Runs.Nodes.Http;
using OpenWop.Micro.Runs.Nodes.Interrupts;
using OpenWop.Micro.Runs.Nodes.Memory;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>The node types that every server has (docs/nodes.md): the one place where they are registered.</summary>
public static class BuiltInNodes
{
    public static IServiceCollection AddBuiltInNodes(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<INodeHandler, StartNode>();
        services.AddSingleton<INodeHandler, EndNode>();
        services.AddSingleton<INodeHandler, NoopNode>();
        services.AddSingleton<INodeHandler, IdentityNode>();
        services.AddSingleton<INodeHandler, ParallelNode>();
        services.AddSingleton<INodeHandler, MergeNode>();
        services.AddSingleton<INodeHandler, ConditionalNode>();
        services.AddSingleton<INodeHandler, LoopNode>();
        services.AddSingleton<INodeHandler, DelayNode>();
        services.AddSingleton<INodeHandler, FailNode>();
        services.AddSingleton<INodeHandler, SubWorkflowNode>();
        services.AddSingleton<INodeHandler, SupervisorNode>();
        services.AddSingleton<INodeHandler, DispatchNode>();
        services.AddSingleton<INodeHandler, ConversationGateNode>();

        // For tests of the protocol; they refuse to run in other workflows.
        services.AddSingleton<INodeHandler, MockAgentNode>();
        services.AddSingleton<INodeHandler, RequiresMissingNode>();
        services.AddSingleton<INodeHandler, SecretEchoNode>();
        services.AddSingleton<INodeHandler, CostEmitNode>();
        services.AddSingleton<INodeHandler, VersionPinNode>();

        services.AddSingleton<INodeHandler, SetVariableNode>();
        services.AddSingleton<INodeHandler, GetVariableNode>();
        services.AddSingleton<INodeHandler, TransformNode>();
        services.AddSingleton<INodeHandler, LogNode>();
        services.AddSingleton<INodeHandler, ArtifactCreateNode>();
        services.AddSingleton<INodeHandler, ChannelWriteNode>();
        services.AddSingleton<INodeHandler, MemoryWriteNode>();
        services.AddSingleton<INodeHandler, MemoryReadNode>();
        services.AddSingleton<INodeHandler, MemoryDeleteNode>();

        services.AddSingleton<INodeHandler, ApprovalGateNode>();
        services.AddSingleton<INodeHandler, ClarificationGateNode>();
        services.AddSingleton<INodeHandler, InterruptNode>();

        // Blocks of the authoring plane: the types of libs/Protocol/Blocks/Connectors.cs.
        services.AddSingleton<INodeHandler, WebhookTriggerBlock>();
        services.AddSingleton<INodeHandler, ManualTriggerBlock>();
        services.AddSingleton<INodeHandler, ScheduleTriggerBlock>();
        services.AddSingleton<INodeHandler, HttpBlock>();
        services.AddSingleton<INodeHandler, SlackBlock>();
        services.AddSingleton<INodeHandler, TransformBlock>();
        services.AddSingleton<INodeHandler, WaitDurationBlock>();
        services.AddSingleton<INodeHandler, WaitUntilBlock>();
        services.AddSingleton<INodeHandler, WaitForEventBlock>();
        services.AddSingleton<INodeHandler, HumanApprovalBlock>();
        services.AddSingleton<INodeHandler, HumanInputBlock>();
        services.AddSingleton<INodeHandler, ConditionBlock>();
        services.AddSingleton<INodeHandler, SwitchBlock>();
        services.AddSingleton<INodeHandler, ParallelBlock>();
        services.AddSingleton<INodeHandler, JoinBlock>();
        services.AddSingleton<INodeHandler, SubWorkflowBlock>();
        services.AddSingleton<INodeHandler, ForEachBlock>();
        services.AddSingleton<INodeHandler, MapDataBlock>();
        services.AddSingleton<INodeHandler, SetVariablesBlock>();
        services.AddSingleton<INodeHandler, LogBlock>();
        services.AddSingleton<INodeHandler, FailBlock>();

        services.TryAddSingleton(provider => new EgressHttp(new EgressPolicy
        {
            AllowPrivate = provider.GetRequiredService<IConfiguration>().Switch(EgressPolicy.AllowPrivateSetting)
                || provider.GetRequiredService<IConfiguration>().Switch(EgressPolicy.AllowPrivateWebhooksSetting),
        }));
        services.AddSingleton<INodeHandler, HttpRequestNode>();
        return services;
    }
}
