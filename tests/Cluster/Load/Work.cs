using System.Globalization;
using System.Text.Json.Nodes;
using OpenWop.Micro.EndToEnd.Tests.Crash;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>What a run is for, beyond running to its end.</summary>
internal enum Purpose
{
    /// <summary>Runs by itself.</summary>
    Runs,

    /// <summary>Asks for an approval and gets one.</summary>
    Approved,

    /// <summary>Is cancelled while it waits.</summary>
    Cancelled,

    /// <summary>Is paused and resumed.</summary>
    Paused,
}

/// <summary>One kind of run in the load.</summary>
/// <param name="Calls">Labels of the effects that each run has once.</param>
internal sealed record Work(string WorkflowId, string Definition, string ExpectedStatus, Purpose Purpose = Purpose.Runs, params string[] Calls)
{
    /// <summary>The mix: waits, retries, branches, effects, failures, children, answers, cancellations, pauses.</summary>
    public static IReadOnlyList<Work> Mix(string serverUrl) =>
    [
        .. CrashWorkflows.All(serverUrl).Select(workflow => new Work(workflow.Id, workflow.Definition, workflow.ExpectedStatus, Purpose.Runs, workflow.Id switch
        {
            "crash-http" => ["first", "second"],
            "crash-branches" => ["branch"],
            _ => [],
        })),
        new("fault-approval", Workflow("fault-approval", ("gate", "core.approvalGate", """{"title":"Go?","actions":["accept","reject"]}"""), ("after", "core.noop", "{}")), "completed", Purpose.Approved),
        new("fault-cancel", Workflow("fault-cancel", ("long", "core.delay", """{"ms":600000}""")), "cancelled", Purpose.Cancelled),
        new("fault-child", Workflow("fault-child", ("child", "core.subWorkflow", """{"workflowId":"crash-delay"}""")), "completed"),
        new("fault-pause", Workflow("fault-pause", ("wait", "core.delay", """{"ms":300}"""), ("after", "core.noop", "{}")), "completed", Purpose.Paused),
    ];

    /// <summary>Makes two events every fifth of a second for half a minute.</summary>
    public static Work Ticking { get; } = new(
        "fault-ticking",
        Workflow("fault-ticking", [.. Enumerable.Range(0, 120).Select(number => (string.Create(CultureInfo.InvariantCulture, $"tick{number}"), "core.delay", """{"ms":200}"""))]),
        "cancelled",
        Purpose.Cancelled);

    private static string Workflow(string id, params (string Id, string Type, string Config)[] chain) => new JsonObject
    {
        ["id"] = id,
        ["name"] = id,
        ["version"] = "1.0",
        ["nodes"] = new JsonArray([.. chain.Select(node => (JsonNode)new JsonObject
        {
            ["id"] = node.Id,
            ["typeId"] = node.Type,
            ["name"] = node.Id,
            ["position"] = new JsonObject { ["x"] = 0, ["y"] = 0 },
            ["config"] = JsonNode.Parse(node.Config),
            ["inputs"] = new JsonObject(),
        })]),
        ["edges"] = new JsonArray([.. chain.Zip(chain.Skip(1)).Select(pair => (JsonNode)new JsonObject
        {
            ["id"] = $"{pair.First.Id}-{pair.Second.Id}",
            ["sourceNodeId"] = pair.First.Id,
            ["targetNodeId"] = pair.Second.Id,
        })]),
        ["triggers"] = new JsonArray(),
        ["variables"] = new JsonArray(),
        ["metadata"] = new JsonObject(),
        ["settings"] = new JsonObject(),
    }.ToJsonString();
}
