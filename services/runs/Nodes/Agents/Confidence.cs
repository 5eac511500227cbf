using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>Decisions that an agent is not sure of wait for a person (spec/agents.md 3.2).</summary>
internal static class Confidence
{
    public const double DefaultThreshold = 0.7;

    private const string Reason = "low-confidence";

    /// <summary><c>configurable.escalationThreshold</c>, or the default.</summary>
    public static double ThresholdOf(NodeContext context) =>
        context.Configurable.Member("escalationThreshold") is { ValueKind: JsonValueKind.Number } threshold && threshold.GetDouble() is >= 0 and <= 1 and var value
            ? value
            : DefaultThreshold;

    /// <summary>Asks a person to ratify a decision. Equal to the threshold is sure enough.</summary>
    public static NodeOutcome.Suspended Hold(NodeContext context, string key, string agentId, double observed, JsonElement? decision) => new(new Interrupt(
        InterruptKinds.LowConfidence,
        key,
        NodeJson.Object(writer =>
        {
            writer.WriteString("agentId", agentId);
            writer.WriteNumber("threshold", ThresholdOf(context));
            writer.WriteNumber("observed", observed);
            if (decision is { } held)
            {
                writer.WritePropertyName("decision");
                held.WriteTo(writer);
            }
        }))
    {
        Reason = Reason,
    });

    /// <summary>A confidence from 0 to 1; null when there is none.</summary>
    public static double? Read(JsonElement? value) =>
        value is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var confidence) && confidence is >= 0 and <= 1 ? confidence : null;
}
