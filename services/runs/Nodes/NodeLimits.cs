using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>
/// How large and how deep the values of a node may be. Without these bounds a chain of nodes that each join two copies of
/// their input doubles a value per node, and one value that no reader can read would block its run for good.
/// </summary>
internal static class NodeLimits
{
    /// <summary>All inputs of an attempt together, in bytes of JSON.</summary>
    public const int MaxInputBytes = 8 * 1024 * 1024;

    /// <summary>The outputs of a node; they must fit into one event, and that into one message between services.</summary>
    public const int MaxOutputBytes = 4 * 1024 * 1024;

    /// <summary>The value of a variable; one event holds the old and the new one.</summary>
    public const int MaxVariableBytes = 2 * 1024 * 1024;

    /// <summary>What an interrupt shows, and the schema of its answer, each.</summary>
    public const int MaxInterruptBytes = 256 * 1024;

    /// <summary>The fields of a line in the run's log.</summary>
    public const int MaxLogFieldBytes = 64 * 1024;

    /// <summary>
    /// Objects and lists inside one another. Events, snapshots and pages of events wrap values in a few more levels and must stay
    /// within the 64 that JSON readers take by default.
    /// </summary>
    public const int MaxDepth = 56;

    /// <summary>Why an attempt cannot be made with these inputs, or null.</summary>
    public static NodeError? CheckInputs(ImmutableSortedDictionary<string, JsonElement> inputs)
    {
        var bytes = 0L;
        foreach (var (_, value) in inputs)
        {
            bytes += SizeOf(value);
        }

        return bytes > MaxInputBytes ? TooLarge("inputs", MaxInputBytes) : null;
    }

    /// <summary>Why a run cannot have these outputs, or null: those of several nodes may be more than those of one.</summary>
    public static NodeError? CheckRunOutputs(JsonElement outputs) => SizeOf(outputs) > MaxOutputBytes ? TooLarge("outputs of the run", MaxOutputBytes) : null;

    /// <summary>The outcome, or the failure that its values are too large or too deep.</summary>
    public static NodeOutcome Enforce(NodeOutcome outcome, NodeContext context) => outcome switch
    {
        NodeOutcome.Completed completed => (CheckOutputs(completed.Outputs) ?? CheckVariables(context) ?? CheckArtifacts(context)) is { } error ? new NodeOutcome.Failed(error) : outcome,
        NodeOutcome.Suspended suspended when CheckInterrupt(suspended.Interrupt) is { } error => new NodeOutcome.Failed(error),
        NodeOutcome.WaitingForChild or NodeOutcome.Suspended => (CheckVariables(context) ?? CheckArtifacts(context)) is { } error ? new NodeOutcome.Failed(error) : outcome,
        NodeOutcome.Delayed delayed => CheckOutputs(delayed.Outputs) is { } error ? new NodeOutcome.Failed(error) : outcome,
        _ => outcome,
    };

    /// <summary>Whether a value may be logged.</summary>
    public static bool IsLoggable(JsonElement value) => SizeOf(value) <= MaxLogFieldBytes && !IsTooDeep(value);

    private static NodeError? CheckOutputs(JsonElement outputs) => Check(outputs, "outputs", MaxOutputBytes);

    private static NodeError? CheckVariables(NodeContext context)
    {
        foreach (var write in context.VariableWrites)
        {
            if (Check(write.Value, $"value of variable '{write.Name}'", MaxVariableBytes) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    private static NodeError? CheckInterrupt(Core.Interrupt interrupt) =>
        Check(interrupt.Data, "data of the interrupt", MaxInterruptBytes)
        ?? (interrupt.ResumeSchema is { } schema ? Check(schema, "schema of the interrupt's answer", MaxInterruptBytes) : null);

    private static NodeError? CheckArtifacts(NodeContext context)
    {
        if (context.Artifacts.Count > ArtifactDraft.MaxPerAttempt)
            return new NodeError("artifact_limit_exceeded", $"An attempt can make at most {ArtifactDraft.MaxPerAttempt} artifacts.");

        foreach (var artifact in context.Artifacts)
        {
            if (Check(artifact.Data, $"data of artifact '{artifact.ArtifactId}'", ArtifactDraft.MaxDataBytes) is { } error)
                return error;
        }

        return null;
    }

    private static NodeError? Check(JsonElement value, string what, int maxBytes) =>
        SizeOf(value) > maxBytes ? TooLarge(what, maxBytes)
        : IsTooDeep(value) ? new NodeError("value_too_deep", $"The {what} would be nested more than {MaxDepth} levels deep.")
        : null;

    private static NodeError TooLarge(string what, int maxBytes) => new(
        "value_too_large",
        $"The {what} would have more than {maxBytes} bytes.",
        Retryable: false,
        NodeJson.Object(writer => writer.WriteNumber("limit", maxBytes)));

    private static int SizeOf(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).Length;

    private static bool IsTooDeep(JsonElement value)
    {
        var utf8 = JsonMarshal.GetRawUtf8Value(value);
        if (utf8.Length <= 2 * MaxDepth)
        {
            // Too short for that many pairs of brackets.
            return false;
        }

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (reader.Read())
        {
            if (reader.CurrentDepth >= MaxDepth && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                return true;
            }
        }

        return false;
    }
}
