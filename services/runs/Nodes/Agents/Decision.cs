using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>Decisions of orchestrators (spec/agents.md 4): next-worker, ask-user, terminate.</summary>
internal static class Decision
{
    public const string NextWorker = "next-worker";
    public const string AskUser = "ask-user";
    public const string Terminate = "terminate";

    private const int MaxWorkers = 64;

    public static JsonElement Dispatch(string workflowId) => NodeJson.Object(writer =>
    {
        writer.WriteString("kind", NextWorker);
        writer.WriteStartArray("nextWorkerIds");
        writer.WriteStringValue(workflowId);
        writer.WriteEndArray();
    });

    public static JsonElement End(string reason) => NodeJson.Object(writer =>
    {
        writer.WriteString("kind", Terminate);
        writer.WriteString("reason", reason);
    });

    /// <summary>What is wrong with a decision; null when it is one.</summary>
    public static string? Check(JsonElement decision) => decision.StringMember("kind") switch
    {
        NextWorker when Workers(decision) is not { Length: >= 1 and <= MaxWorkers } => $"needs 1 to {MaxWorkers} 'nextWorkerIds'",
        AskUser when string.IsNullOrEmpty(decision.StringMember("prompt")) => "needs a 'prompt'",
        NextWorker or AskUser or Terminate => null,
        _ => "must be of kind next-worker, ask-user or terminate",
    };

    /// <summary>Ids of the workflows to run.</summary>
    public static ImmutableArray<string> Workers(JsonElement decision) =>
        decision.Member("nextWorkerIds") is { ValueKind: JsonValueKind.Array } ids && ids.EnumerateArray().All(id => id.ValueKind == JsonValueKind.String && id.GetString() != "")
            ? [.. ids.EnumerateArray().Select(id => id.GetString()!)]
            : [];
}
