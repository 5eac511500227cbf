using System.Globalization;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.EndToEnd.Tests.Crash;

/// <summary>A workflow of the crash test and how its runs must end.</summary>
internal sealed record CrashWorkflow(string Id, string Definition, string ExpectedStatus);

/// <summary>Mixed work: waits, retries, branches with a join, calls to a local server, a failure.</summary>
internal static class CrashWorkflows
{
    public const int DelayMs = 700;

    public static IReadOnlyList<CrashWorkflow> All(string serverUrl) =>
    [
        new("crash-delay", Workflow(
            "crash-delay",
            [Node("before", "core.noop"), Node("wait", "core.delay", new() { ["ms"] = DelayMs }), Node("after", "core.noop")],
            [("before", "wait"), ("wait", "after")]), "completed"),
        new("crash-retry", Workflow(
            "crash-retry",
            [Node("flaky", "core.fail", new() { ["failAttempts"] = 2 }, new() { ["maxRetries"] = 3, ["retryDelayMs"] = 150 }), Node("after", "core.noop")],
            [("flaky", "after")]), "completed"),
        new("crash-branches", Workflow(
            "crash-branches",
            [
                Node("split", "core.parallel"),
                Node("quick", "core.noop"),
                Node("slow", "core.delay", new() { ["ms"] = 300 }),
                Http("call", serverUrl, "branch"),
                Node("join", "core.merge"),
            ],
            [("split", "quick"), ("split", "slow"), ("split", "call"), ("quick", "join"), ("slow", "join"), ("call", "join")]), "completed"),
        new("crash-http", Workflow(
            "crash-http",
            [Http("first", serverUrl, "first"), Node("pause", "core.delay", new() { ["ms"] = 100 }), Http("second", serverUrl, "second")],
            [("first", "pause"), ("pause", "second")]), "completed"),
        new("crash-fail", Workflow(
            "crash-fail",
            [Node("wait", "core.delay", new() { ["ms"] = 200 }), Node("fail", "core.fail")],
            [("wait", "fail")]), "failed"),
    ];

    private static JsonObject Http(string id, string serverUrl, string call)
    {
        var node = Node(id, "core.http.request", new() { ["method"] = "POST", ["body"] = new JsonObject() }, new() { ["maxRetries"] = 20, ["retryDelayMs"] = 50 });
        node["inputs"] = new JsonObject
        {
            ["url"] = new JsonObject { ["type"] = "expression", ["expression"] = $"\"{serverUrl}/effect/\" + inputs.label + \"-{call}\"" },
        };
        return node;
    }

    private static JsonObject Node(string id, string typeId, JsonObject? config = null, JsonObject? settings = null) => new()
    {
        ["id"] = id,
        ["typeId"] = typeId,
        ["name"] = id,
        ["position"] = new JsonObject { ["x"] = 0, ["y"] = 0 },
        ["config"] = config ?? [],
        ["inputs"] = new JsonObject(),
        ["settings"] = settings ?? [],
    };

    private static string Workflow(string id, JsonObject[] nodes, (string Source, string Target)[] edges) => new JsonObject
    {
        ["id"] = id,
        ["name"] = id,
        ["version"] = "1.0",
        ["nodes"] = new JsonArray([.. nodes]),
        ["edges"] = new JsonArray([.. edges.Select((edge, index) => (JsonNode)new JsonObject
        {
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"e{index}"),
            ["sourceNodeId"] = edge.Source,
            ["targetNodeId"] = edge.Target,
        })]),
        ["triggers"] = new JsonArray(),
        ["variables"] = new JsonArray(),
        ["metadata"] = new JsonObject(),
        ["settings"] = new JsonObject(),
    }.ToJsonString();
}
