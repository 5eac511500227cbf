using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>What a child's end means for the node that waited.</summary>
internal static class ChildOutcomes
{
    /// <summary>Larger outputs of a child stay with the child.</summary>
    private const int MaxOutputBytes = NodeLimits.MaxOutputBytes / 4;

    /// <summary><c>{childRunId, childStatus}</c>, with <c>childOutputs</c> or <c>childError</c> where there are some.</summary>
    public static JsonElement Outputs(ChildResult child) => NodeJson.Object(writer =>
    {
        writer.WriteString("childRunId", child.RunId);
        writer.WriteString("childStatus", child.Status);
        if (child.Outputs.IsDefined() && JsonMarshal.GetRawUtf8Value(child.Outputs).Length <= MaxOutputBytes)
        {
            writer.WritePropertyName("childOutputs");
            child.Outputs.WriteTo(writer);
        }

        WriteError(writer, child);
    });

    /// <summary>The failure of a node whose child did not complete; another attempt would find the same child.</summary>
    public static NodeOutcome.Failed Failure(ChildResult child) => new(new NodeError(
        child.Status == "cancelled" ? "child_cancelled" : "child_failed",
        child.Error is { } error ? $"The child run {child.RunId} failed: {error.Message}" : $"The child run {child.RunId} was {child.Status}.",
        Retryable: false,
        NodeJson.Object(writer =>
        {
            writer.WriteString("childRunId", child.RunId);
            writer.WriteString("childStatus", child.Status);
            WriteError(writer, child);
        })));

    private static void WriteError(Utf8JsonWriter writer, ChildResult child)
    {
        if (child.Error is not { } error)
            return;

        writer.WriteStartObject("childError");
        writer.WriteString("code", error.Code);
        writer.WriteString("message", error.Message);
        writer.WriteEndObject();
    }
}
