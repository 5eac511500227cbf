using System.Collections.Concurrent;
using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>A definition version, ready to plan with.</summary>
internal sealed record PinnedDefinition(string Owner, long Version, WorkflowGraph Graph);

/// <summary>
/// Definitions from the workflows service. Versions are immutable, so a prepared graph is kept and shared by all runs of it;
/// only the question which version is the head is asked anew for each run.
/// </summary>
internal sealed class Definitions(Workflows.WorkflowsClient workflows, ConnectorSet connectors)
{
    /// <summary>Prepared versions kept; beyond, the cache starts over.</summary>
    private const int MaxGraphs = 2000;

    private readonly ConcurrentDictionary<(string Owner, string WorkflowId, long Version), WorkflowGraph> graphs = new();

    /// <summary>The head of a workflow as the caller's tenant sees it; null when there is none.</summary>
    public async Task<PinnedDefinition?> HeadAsync(string workflowId, string tenant, bool isTest, CancellationToken cancellationToken)
    {
        try
        {
            var definition = await workflows.GetDefinitionAsync(
                new GetDefinitionRequest { WorkflowId = workflowId, Tenant = tenant, Test = isTest }, cancellationToken: cancellationToken);
            return new PinnedDefinition(definition.Owner, definition.Version, Prepare(definition));
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>The version that a run pinned when it started.</summary>
    public async Task<WorkflowGraph> GraphAsync(RunState state, CancellationToken cancellationToken)
    {
        var options = state.Options ?? throw new InvalidOperationException("The run has no events.");
        if (graphs.TryGetValue((options.DefinitionOwner, state.WorkflowId, options.DefinitionVersion), out var graph))
        {
            return graph;
        }

        var definition = await workflows.GetDefinitionAsync(
            new GetDefinitionRequest
            {
                WorkflowId = state.WorkflowId,
                Version = options.DefinitionVersion,
                Tenant = options.Tenant,
                Test = options.IsTest,
                Owner = options.DefinitionOwner,
            },
            cancellationToken: cancellationToken);
        return Prepare(definition);
    }

    private WorkflowGraph Prepare(Definition definition)
    {
        var key = (definition.Owner, definition.WorkflowId, definition.Version);
        if (graphs.TryGetValue(key, out var known))
        {
            return known;
        }

        if (graphs.Count >= MaxGraphs)
        {
            graphs.Clear();
        }

        return graphs.GetOrAdd(key, new WorkflowGraph(WorkflowDefinitionReader.Read(definition.Json.Memory), connectors));
    }
}
