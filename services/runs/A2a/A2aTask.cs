using System.Text;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Mcp;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.A2a;

/// <summary>What a peer says about a task.</summary>
/// <param name="Id">Null when the peer has answered at once, without a task.</param>
/// <param name="State">In lower case with hyphens: <c>working</c>, <c>input-required</c>, …</param>
/// <param name="Document">As the peer sent it.</param>
internal sealed record A2aTask(string? Id, string State, JsonElement Document)
{
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Rejected = "rejected";
    public const string Canceled = "canceled";
    public const string InputRequired = "input-required";
    public const string AuthRequired = "auth-required";

    /// <summary>True when waiting alone does not help.</summary>
    public bool IsSettled => State is Completed or Failed or Rejected or Canceled or InputRequired or AuthRequired;

    /// <summary>A task, or the message that a peer may answer with instead.</summary>
    public static A2aTask Read(JsonElement result)
    {
        if (result.Member("status") is not { } status)
            return new A2aTask(null, Completed, result);

        var state = (status.StringMember("state") ?? "").ToLowerInvariant().Replace('_', '-');
        return new A2aTask(result.StringMember("id"), state.StartsWith("task-state-", StringComparison.Ordinal) ? state["task-state-".Length..] : state, result);
    }

    /// <summary>What the peer says: in its artifacts, else in the message of the status, else in the message itself.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        if (Document.Member("artifacts") is { ValueKind: JsonValueKind.Array } artifacts)
        {
            foreach (var artifact in artifacts.EnumerateArray())
                Append(text, artifact);
        }

        if (text.Length == 0 && Document.Member("status")?.Member("message") is { } message)
            Append(text, message);

        if (text.Length == 0)
            Append(text, Document);

        return text.ToString();
    }

    public JsonElement ToOutputs(string agent) => NodeJson.Object(writer =>
    {
        if (Id is not null)
            writer.WriteString("taskId", Id);

        writer.WriteString("state", State);
        writer.WriteString("trust", "untrusted");
        writer.WriteString("text", Untrusted.Wrap("agent", agent, Text()));
        if (Document.Member("artifacts") is { } artifacts)
        {
            writer.WritePropertyName("artifacts");
            artifacts.WriteTo(writer);
        }
    });

    private static void Append(StringBuilder text, JsonElement holder)
    {
        if (holder.Member("parts") is not { ValueKind: JsonValueKind.Array } parts)
            return;

        foreach (var part in parts.EnumerateArray())
        {
            if (part.StringMember("text") is { } words)
                text.Append(text.Length > 0 ? "\n" : "").Append(words);
        }
    }
}
