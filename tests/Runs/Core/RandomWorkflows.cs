using CsCheck;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Runs.Tests.Core;

/// <summary>Random definitions: any edges, cycles and self-loops included, any rules.</summary>
internal static class RandomWorkflows
{
    private static readonly Gen<WorkflowEdge> Edge = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 3],
        (source, target, rule, port) => new WorkflowEdge
        {
            Id = "",
            SourceNodeId = $"n{source}",
            TargetNodeId = $"n{target}",
            TriggerRule = rule < 5 ? (TriggerRule)rule : null,
            SourceOutput = port == 0 ? "left" : port == 1 ? "right" : "output",
        });

    private static readonly Gen<WorkflowNode> Node = Gen.Select(Gen.Int[0, 10], Gen.Int[0, 3], Gen.Int[0, 20], (type, retries, disabled) => new WorkflowNode
    {
        Id = "",
        Name = "",
        TypeId = type < 5 ? "test.pure" : type < 7 ? "test.effect" : type < 8 ? "test.ask" : type < 9 ? "test.child" : type < 10 ? "test.fan" : "test.wait",
        Settings = new NodeSettings { MaxRetries = retries },
        Disabled = disabled == 0,
    });

    public static Gen<WorkflowDefinition> Any { get; } = Gen.Select(Node.Array[1, 10], Edge.Array[0, 16], Gen.Int[1, 4], (nodes, edges, loopbacks) => new WorkflowDefinition
    {
        Id = "random",
        Name = "random",
        Version = "1",
        Nodes = [.. nodes.Select((node, index) => node with { Id = $"n{index}" })],
        Edges =
        [
            .. edges
                .Select(edge => edge with { SourceNodeId = Wrap(edge.SourceNodeId, nodes.Length), TargetNodeId = Wrap(edge.TargetNodeId, nodes.Length) })
                .Select((edge, index) => edge with { Id = $"e{index}" }),
        ],
        Settings = new WorkflowSettings { MaxLoopbackIterations = loopbacks },
    });

    private static string Wrap(string nodeId, int count) => $"n{int.Parse(nodeId.AsSpan(1), provider: null) % count}";
}
