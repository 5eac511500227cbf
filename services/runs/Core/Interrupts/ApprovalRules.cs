using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Approvals (spec/interrupts-state-storage.md 1.4 and 4.1): allowed actions, votes, quorum. Each vote is an event; the one that
/// reaches the quorum, or makes it unreachable, settles the interrupt.
/// </summary>
internal static class ApprovalRules
{
    public static ProtocolError? Resolve(Draft draft, string nodeId, OpenInterrupt open, Answer answer)
    {
        var data = open.Request.Data;
        if (ActionOf(answer.Value) is not { } action)
            return ProtocolError.Validation("resumeValue must be an object with an action.", "resumeValue.action");

        if (!Allows(data, action))
            return ProtocolError.Validation($"The action '{action}' is not allowed here.", "resumeValue.action");

        var voter = answer.Value.StringMember("voter") ?? answer.Value.StringMember("decidedBy");
        if (Approvers(data) is { Count: > 0 } approvers && !approvers.Contains(voter ?? answer.Principal ?? ""))
            return new ProtocolError(ErrorCodes.Forbidden, "The caller is not among the approvers.");

        if (action == "ask")
        {
            Ask(draft, nodeId, answer);
            return null;
        }

        var decidedBy = voter ?? answer.Principal ?? "token";
        // Votes that name nobody add up: each counts as somebody of its own.
        var counted = voter ?? $"{decidedBy}#{open.Votes.Length}";
        var value = Complete(answer.Value, action, decidedBy, draft.Now);
        draft.Add(new ApprovalReceived(nodeId, action, decidedBy, counted, value));
        var votes = draft.State.Nodes[nodeId].Interrupt!.Votes;
        return IsSettled(data, action, votes) ? InterruptDecisions.Settle(draft, nodeId, open, value, decidedBy) : null;
    }

    private static bool IsSettled(JsonElement data, string action, IReadOnlyCollection<Vote> votes)
    {
        var required = data.IntegerMember("requiredApprovals") ?? 1;
        var rejects = votes.Count(vote => vote.Action == "reject");
        return action switch
        {
            "accept" or "edit-accept" => votes.Count(vote => vote.Action is "accept" or "edit-accept") >= required,
            "reject" => data.StringMember("rejectionPolicy") != "majority" || rejects > required / 2,
            _ => true,
        };
    }

    /// <summary>The action, also from the legacy member <c>decision</c>, and from <c>approved</c>, which people who write blocks send.</summary>
    private static string? ActionOf(JsonElement value) => value.StringMember("action") ?? value.Member("approved")?.ValueKind switch
    {
        JsonValueKind.True => "accept",
        JsonValueKind.False => "reject",
        _ => DecisionOf(value),
    };

    private static string? DecisionOf(JsonElement value) => (value.StringMember("decision"), value.StringMember("feedback")) switch
    {
        ("approved", _) => "accept",
        ("rejected", { Length: > 0 }) => "refine",
        ("rejected", _) => "reject",
        _ => null,
    };

    private static bool Allows(JsonElement data, string action) =>
        data.Member("actions") is { ValueKind: JsonValueKind.Array } actions && actions.EnumerateArray().Any(allowed => allowed.ValueEquals(action));

    private static List<string> Approvers(JsonElement data) =>
        data.Member("approversList") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(item => item.GetString() ?? "")] : [];

    /// <summary>The answer with what clients may leave out: who decided, and when.</summary>
    private static JsonElement Complete(JsonElement value, string action, string decidedBy, DateTimeOffset decidedAt) => JsonValues.Object(writer =>
    {
        writer.WriteString("action", action);
        foreach (var member in value.EnumerateObject())
        {
            if (member.Name is not ("action" or "decision" or "decidedBy" or "decidedAt"))
                member.WriteTo(writer);
        }

        if (action == "refine" && value.Member("refineFeedback") is null && value.StringMember("feedback") is { } text)
        {
            writer.WriteStartObject("refineFeedback");
            writer.WriteString("scope", "whole");
            writer.WriteString("text", text);
            writer.WriteEndObject();
        }

        writer.WriteString("decidedBy", decidedBy);
        writer.WriteString("decidedAt", Log.Timestamps.Format(decidedAt));
    });

    /// <summary>A question does not decide: it is kept beside the gate, which goes on waiting.</summary>
    private static void Ask(Draft draft, string nodeId, Answer answer)
    {
        var name = $"_askExchanges:{nodeId}";
        var previous = draft.State.Variables.TryGetValue(name, out var value) ? value : (JsonElement?)null;
        List<JsonElement> exchanges = previous is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];
        exchanges.Add(answer.Value);
        var changed = new VariableChanged(name, JsonSerializer.SerializeToElement(exchanges), previous, nodeId, Sensitive: false);
        draft.Add(changed);
        LegacyChannels.Add(draft, changed, answer.Value);
    }
}
