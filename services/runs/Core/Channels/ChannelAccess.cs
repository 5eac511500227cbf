using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Who may use a channel (spec/interrupts-state-storage.md 6.5): <c>private</c> is for nobody, an object is open on the side that
/// it does not mention. Nodes are listed by id, or by type, where a trailing <c>*</c> stands for the rest of a dotted name.
/// </summary>
internal static class ChannelAccess
{
    public const string Readers = "readers";
    public const string Writers = "writers";

    /// <summary>Why a node may not use the channel; null when it may.</summary>
    /// <param name="side"><see cref="Readers"/> or <see cref="Writers"/>.</param>
    public static NodeError? Check(string channel, ChannelDeclaration declaration, WorkflowNode node, string side)
    {
        if (declaration.Access is not { } access || Allows(access, node, side))
            return null;

        return new NodeError("channel_access_denied", $"Node '{node.Id}' is not among the {side} of channel '{channel}'.", Retryable: false, JsonValues.Object(writer =>
        {
            writer.WriteString("channel", channel);
            writer.WriteStartObject("requestedBy");
            writer.WriteString("nodeId", node.Id);
            writer.WriteString("typeId", node.TypeId);
            writer.WriteEndObject();
            writer.WriteString("allowed", side);
        }));
    }

    private static bool Allows(JsonElement access, WorkflowNode node, string side) => access.ValueKind switch
    {
        JsonValueKind.String => access.ValueEquals("public"),
        JsonValueKind.Object => access.Member(side) is not { ValueKind: JsonValueKind.Array } listed
            || listed.EnumerateArray().Any(entry => entry.ValueKind == JsonValueKind.String && Matches(entry.GetString()!, node)),
        _ => false,
    };

    private static bool Matches(string entry, WorkflowNode node) =>
        entry == node.Id
        || entry == node.TypeId
        || entry == "*"
        || (entry.EndsWith(".*", StringComparison.Ordinal) && node.TypeId.StartsWith(entry[..^1], StringComparison.Ordinal));
}
