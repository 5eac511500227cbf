using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>Payloads and facts of interrupts and pauses (spec/interrupts-state-storage.md 1.5).</summary>
internal static class InterruptPayloads
{
    /// <summary>Event type of a body of this family; null for any other.</summary>
    public static string? TypeOf(RunEventBody body) => body switch
    {
        InterruptRequested => EventTypes.InterruptRequested,
        LegacyRequest { Type: InterruptKinds.Approval } => EventTypes.ApprovalRequested,
        LegacyRequest => EventTypes.ClarificationRequested,
        NodeSuspended => EventTypes.NodeSuspended,
        ApprovalReceived => EventTypes.ApprovalReceived,
        ClarificationResolved => EventTypes.ClarificationResolved,
        InterruptResolved => EventTypes.InterruptResolved,
        NodeResumed => EventTypes.NodeResumed,
        PauseRequested => EventTypes.LogAppended,
        RunPaused => EventTypes.RunPaused,
        RunResumed => EventTypes.RunResumed,
        _ => null,
    };

    /// <summary>Writes the members of the payload; false for a body of another family.</summary>
    public static bool TryWrite(Utf8JsonWriter writer, RunEventBody body)
    {
        switch (body)
        {
            case InterruptRequested requested:
                WriteRequest(writer, requested.Interrupt);
                return true;
            case LegacyRequest request:
                WriteLegacyRequest(writer, request);
                return true;
            case NodeSuspended suspended:
                writer.WriteString("nodeId", suspended.Node);
                writer.WriteString("interruptId", suspended.InterruptId);
                writer.WriteString("kind", suspended.Kind);
                writer.WriteString("key", suspended.Key);
                EventPayloads.WriteOptional(writer, "reason", suspended.Reason);
                if (suspended.Confidence is { } confidence)
                {
                    Copy(writer, confidence, "agentId");
                    Copy(writer, confidence, "threshold");
                    Copy(writer, confidence, "observed");
                }

                return true;
            case ApprovalReceived received:
                WriteApproval(writer, received);
                return true;
            case ClarificationResolved resolved:
                writer.WriteString("nodeId", resolved.Node);
                EventPayloads.Write(writer, "answers", resolved.Answers);
                EventPayloads.WriteOptional(writer, "answeredBy", resolved.AnsweredBy);
                return true;
            case InterruptResolved resolved:
                writer.WriteString("nodeId", resolved.Node);
                writer.WriteString("interruptId", resolved.InterruptId);
                writer.WriteString("kind", resolved.Kind);
                EventPayloads.Write(writer, "resumeValue", resolved.Value);
                EventPayloads.WriteOptional(writer, "resolvedBy", resolved.ResolvedBy);
                EventPayloads.WriteOptional(writer, "outcome", resolved.Outcome);
                return true;
            case NodeResumed resumed:
                writer.WriteString("nodeId", resumed.Node);
                writer.WriteString("interruptId", resumed.InterruptId);
                EventPayloads.Write(writer, "resumeValue", resumed.Value);
                return true;
            case PauseRequested request:
                writer.WriteString("level", "info");
                writer.WriteString("message", $"Pause requested ({request.DrainPolicy}).");
                return true;
            case RunPaused paused:
                EventPayloads.WriteOptional(writer, "reason", paused.Reason);
                writer.WriteString("drainPolicy", paused.DrainPolicy);
                return true;
            case RunResumed resumed:
                EventPayloads.WriteOptional(writer, "reason", resumed.Reason);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Writes the private facts; false when the body has none.</summary>
    public static bool TryWriteFacts(Utf8JsonWriter writer, RunEventBody body)
    {
        switch (body)
        {
            case InterruptRequested { Interrupt: { } interrupt } when interrupt.RequiresCredential || interrupt.Reason is not null:
                EventPayloads.WriteOptional(writer, "reason", interrupt.Reason);
                writer.WriteBoolean("requiresCredential", interrupt.RequiresCredential);
                return true;
            case NodeSuspended { DueAt: { } due }:
                writer.WriteString("dueAt", Timestamps.Format(due));
                return true;
            case ApprovalReceived received:
                EventPayloads.WriteOptional(writer, "voter", received.Voter);
                EventPayloads.Write(writer, "value", received.Value);
                return true;
            case NodeResumed resumed:
                writer.WriteString("key", resumed.Key);
                return true;
            case PauseRequested request:
                writer.WriteString("pause", request.DrainPolicy);
                EventPayloads.WriteOptional(writer, "reason", request.Reason);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads a body of this family; null for other types.</summary>
    public static RunEventBody? Read(string type, JsonElement document, JsonElement payload, JsonElement facts) => type switch
    {
        EventTypes.InterruptRequested => new InterruptRequested(EventPayloads.Text(document, "nodeId"), ReadRequest(payload, facts)),
        EventTypes.ApprovalRequested => new UnknownEvent(type, EventPayloads.Text(payload, "nodeId")),
        EventTypes.ClarificationRequested => new UnknownEvent(type, EventPayloads.Text(payload, "nodeId")),
        EventTypes.NodeSuspended => new NodeSuspended(
            EventPayloads.Text(payload, "nodeId"),
            EventPayloads.Text(payload, "interruptId"),
            EventPayloads.Text(payload, "kind"),
            EventPayloads.Text(payload, "key"),
            payload.StringMember("reason"),
            Timestamps.ParseOptional(facts.StringMember("dueAt"))),
        EventTypes.ApprovalReceived => new ApprovalReceived(
            EventPayloads.Text(payload, "nodeId"),
            EventPayloads.Text(payload, "action"),
            payload.StringMember("decidedBy"),
            facts.StringMember("voter"),
            EventPayloads.Required(facts, "value")),
        EventTypes.ClarificationResolved => new ClarificationResolved(
            EventPayloads.Text(payload, "nodeId"), EventPayloads.Required(payload, "answers"), payload.StringMember("answeredBy")),
        EventTypes.InterruptResolved => new InterruptResolved(
            EventPayloads.Text(payload, "nodeId"),
            EventPayloads.Text(payload, "interruptId"),
            payload.StringMember("kind") ?? "",
            EventPayloads.Required(payload, "resumeValue"),
            payload.StringMember("resolvedBy"),
            payload.StringMember("outcome")),
        EventTypes.NodeResumed => new NodeResumed(
            EventPayloads.Text(payload, "nodeId"),
            EventPayloads.Text(payload, "interruptId"),
            EventPayloads.Text(facts, "key"),
            EventPayloads.Required(payload, "resumeValue")),
        EventTypes.RunPaused => new RunPaused(payload.StringMember("reason"), EventPayloads.Text(payload, "drainPolicy")),
        EventTypes.RunResumed => new RunResumed(payload.StringMember("reason")),
        _ => null,
    };

    /// <summary>The closed request: identity lives on <c>node.suspended</c>, not here.</summary>
    internal static void WriteRequest(Utf8JsonWriter writer, Interrupt interrupt)
    {
        writer.WriteString("kind", interrupt.Kind);
        writer.WriteString("key", interrupt.Key);
        EventPayloads.Write(writer, "data", interrupt.Data);
        if (interrupt.ResumeSchema is { } schema)
            EventPayloads.Write(writer, "resumeSchema", schema);

        if (interrupt.TimeoutMs is { } timeout)
            writer.WriteNumber("timeoutMs", timeout);
    }

    internal static Interrupt ReadRequest(JsonElement payload, JsonElement facts) => new(
        EventPayloads.Text(payload, "kind"),
        EventPayloads.Text(payload, "key"),
        EventPayloads.Required(payload, "data"),
        payload.Member("resumeSchema"),
        payload.IntegerMember("timeoutMs"))
    {
        Reason = facts.StringMember("reason"),
        RequiresCredential = facts.Member("requiresCredential") is { ValueKind: JsonValueKind.True },
    };

    private static void WriteLegacyRequest(Utf8JsonWriter writer, LegacyRequest request)
    {
        writer.WriteString("nodeId", request.Node);
        writer.WriteString("interruptId", request.InterruptId);
        var data = request.Interrupt.Data;
        if (request.Type == InterruptKinds.Clarification)
        {
            EventPayloads.Write(writer, "questions", data.GetProperty("questions"));
            return;
        }

        Copy(writer, data, "artifactId");
        Copy(writer, data, "artifactType");
        Copy(writer, data, "title");
        Copy(writer, data, "approversList");
        Copy(writer, data, "requiredApprovals");
        writer.WriteStartArray("actions");
        foreach (var action in data.GetProperty("actions").EnumerateArray())
            writer.WriteStringValue(action.ValueEquals("edit-accept") ? "edit" : action.GetString());

        writer.WriteEndArray();
    }

    private static void WriteApproval(Utf8JsonWriter writer, ApprovalReceived received)
    {
        writer.WriteString("nodeId", received.Node);
        writer.WriteString("action", received.Action);
        EventPayloads.WriteOptional(writer, "decidedBy", received.DecidedBy);
        Copy(writer, received.Value, "decidedAt");
        Copy(writer, received.Value, "comment");
        Copy(writer, received.Value, "feedback");
        Copy(writer, received.Value, "refineFeedback");
        Copy(writer, received.Value, "editedArtifactData");
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement source, string name)
    {
        if (source.Member(name) is { } value)
            EventPayloads.Write(writer, name, value);
    }
}
