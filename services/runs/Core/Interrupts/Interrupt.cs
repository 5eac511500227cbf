using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>What a node asks the outside for (spec/interrupts-state-storage.md 1.1).</summary>
/// <param name="Kind">One of <see cref="InterruptKinds"/>.</param>
/// <param name="Key">Asked at most once per key and run; an answer found in the log is used again.</param>
/// <param name="Data">Shape by kind.</param>
/// <param name="ResumeSchema">JSON Schema that the answer must satisfy; null = none.</param>
/// <param name="TimeoutMs">Time until it fails; null or 0 = never.</param>
public sealed record Interrupt(string Kind, string Key, JsonElement Data, JsonElement? ResumeSchema = null, long? TimeoutMs = null)
{
    /// <summary>Why, where a kind has several reasons (<c>low-confidence</c>, <c>conversation-input</c>).</summary>
    public string? Reason { get; init; }

    /// <summary>True when a signed token cannot resolve it, only an authenticated caller (spec/interrupts-state-storage.md 4.2).</summary>
    public bool RequiresCredential { get; init; }
}

/// <summary>Kinds of interrupts.</summary>
public static class InterruptKinds
{
    public const string Approval = "approval";
    public const string Clarification = "clarification";
    public const string ExternalEvent = "external-event";
    public const string Custom = "custom";
    public const string ConversationExchange = "conversation.exchange";
    public const string LowConfidence = "low-confidence";

    /// <summary>The status of a run that waits for an interrupt of the kind (spec/interrupts-state-storage.md 1.3).</summary>
    public static string WaitingStatus(string kind) => kind switch
    {
        Approval or LowConfidence or ConversationExchange => "waiting-approval",
        ExternalEvent => "waiting-external",
        _ => "waiting-input",
    };
}

/// <summary>An interrupt of a node as the fold sees it.</summary>
/// <param name="Id">Identity on the wire; empty until the node is suspended.</param>
/// <param name="RequestSequence">Sequence of the event that asked.</param>
internal sealed record OpenInterrupt(Interrupt Request, string Id, long RequestSequence, DateTimeOffset RequestedAt)
{
    /// <summary>Votes so far, by voter: a new vote replaces the voter's old one and moves to the end.</summary>
    public ImmutableArray<Vote> Votes { get; init; } = [];

    public bool IsResolved { get; init; }
}

internal sealed record Vote(string Voter, string Action);
