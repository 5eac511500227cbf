using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Interrupts;

/// <summary>
/// <c>core.approvalGate</c>: waits for approvals (docs/nodes.md). Accepted: completes with the decision on the port
/// <c>accepted</c>; refined: on the port <c>refine</c>; rejected: fails with <c>interrupt_rejected</c>, or completes on the port
/// <c>rejected</c> when <c>config.onReject</c> is <c>continue</c>.
/// </summary>
internal sealed class ApprovalGateNode : INodeHandler
{
    private const string AuthRequired = "openwop-interrupt-auth-required";

    public string TypeId => "core.approvalGate";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var key = context.InterruptKey(0);
        return ValueTask.FromResult(context.Resolved.TryGetValue(key, out var decision) ? Decided(context, decision) : Ask(context, key));
    }

    private static NodeOutcome.Suspended Ask(NodeContext context, string key) => new(new Interrupt(
        InterruptKinds.Approval, key, DataOf(context), context.Node.Config.Member("resumeSchema"), context.Node.Config.IntegerMember("timeoutMs"))
    {
        RequiresCredential = context.Node.Config.StringMember("profile") == AuthRequired,
    });

    private static NodeOutcome Decided(NodeContext context, JsonElement decision) => decision.StringMember("action") switch
    {
        "reject" when context.Node.Config.StringMember("onReject") != "continue" =>
            new NodeOutcome.Failed(new NodeError("interrupt_rejected", "The approval was rejected.")),
        "reject" => new NodeOutcome.Completed(decision, ["rejected"]),
        "refine" => new NodeOutcome.Completed(decision, ["refine"]),
        _ => new NodeOutcome.Completed(decision, ["accepted"]),
    };

    /// <summary>The config's members, and those that the schema requires and configs leave out.</summary>
    private static JsonElement DataOf(NodeContext context)
    {
        var config = context.Node.Config;
        return NodeJson.Object(writer =>
        {
            writer.WriteString("artifactId", config.StringMember("artifactId") ?? context.Node.Id);
            writer.WriteString("artifactType", config.StringMember("artifactType") ?? "approval");
            writer.WriteString("title", config.StringMember("title") ?? context.Node.Name);
            WriteActions(writer, config);
            Copy(writer, config, "description");
            Copy(writer, config, "artifactData");
            Copy(writer, config, "requiredApprovals");
            Copy(writer, config, "approversList");
            Copy(writer, config, "rejectionPolicy");
            if (config.Member("artifactData") is null && context.Inputs.TryGetValue("artifact", out var artifact))
            {
                writer.WritePropertyName("artifactData");
                artifact.WriteTo(writer);
            }
        });
    }

    private static void WriteActions(Utf8JsonWriter writer, JsonElement config)
    {
        writer.WriteStartArray("actions");
        if (config.Member("actions") is { ValueKind: JsonValueKind.Array } actions && actions.GetArrayLength() > 0)
        {
            foreach (var action in actions.EnumerateArray())
                writer.WriteStringValue(action.GetString() is "edit" ? "edit-accept" : action.GetString());
        }
        else
        {
            writer.WriteStringValue("accept");
            writer.WriteStringValue("reject");
        }

        writer.WriteEndArray();
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement config, string name)
    {
        if (config.Member(name) is { ValueKind: not JsonValueKind.Null } value)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }
}
