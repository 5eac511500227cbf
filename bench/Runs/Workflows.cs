namespace OpenWop.Micro.Bench.Runs;

/// <summary>A workflow to measure.</summary>
internal sealed record Workflow(string Id, string Definition)
{
    /// <summary>The same workflow in other words.</summary>
    public Workflow InVersion(int version) =>
        this with { Definition = Definition.Replace("\"metadata\":{}", $"\"metadata\":{{\"tags\":[\"{version}\"]}}", StringComparison.Ordinal) };
}

internal static class Workflows
{
    /// <summary>One node; ten nodes in a row; four branches with a join, a wait of 20 ms and a retry.</summary>
    public static IReadOnlyList<Workflow> All { get; } =
    [
        new("noop", Definition("noop", Node("a"), "")),
        new("chain-10", Definition("chain-10", string.Join(',', Enumerable.Range(0, 10).Select(i => Node($"n{i}"))), Edges(Enumerable.Range(0, 9).Select(i => ($"n{i}", $"n{i + 1}"))))),
        new(
            "branches",
            Definition(
                "branches",
                string.Join(
                    ',',
                    Node("start"),
                    Node("b0"),
                    Node("b1", "core.delay", """{"ms":20}"""),
                    Node("b2", "core.fail", """{"failAttempts":1}""", """{"maxRetries":2,"retryDelayMs":10}"""),
                    Node("b3"),
                    Node("join", "core.merge")),
                Edges([("start", "b0"), ("start", "b1"), ("start", "b2"), ("start", "b3"), ("b0", "join"), ("b1", "join"), ("b2", "join"), ("b3", "join")]))),
    ];

    private static string Definition(string id, string nodes, string edges) =>
        $"{{\"id\":\"{id}\",\"name\":\"{id}\",\"version\":\"1.0\",\"nodes\":[{nodes}],\"edges\":[{edges}],\"triggers\":[],\"variables\":[],\"metadata\":{{}},\"settings\":{{}}}}";

    private static string Node(string id, string typeId = "core.noop", string config = "{}", string settings = "{}") =>
        $"{{\"id\":\"{id}\",\"typeId\":\"{typeId}\",\"name\":\"{id}\",\"position\":{{\"x\":0,\"y\":0}},\"config\":{config},\"inputs\":{{}},\"settings\":{settings}}}";

    private static string Edges(IEnumerable<(string Source, string Target)> edges) =>
        string.Join(',', edges.Select((edge, index) => $"{{\"id\":\"e{index}\",\"sourceNodeId\":\"{edge.Source}\",\"targetNodeId\":\"{edge.Target}\"}}"));
}
