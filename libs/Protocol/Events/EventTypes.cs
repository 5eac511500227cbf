namespace OpenWop.Micro.Protocol.Events;

/// <summary>Names of run events on the wire (spec/runs-streams-replay.md 3.2). The only place that spells them.</summary>
public static class EventTypes
{
    public const string RunStarted = "run.started";
    public const string RunCompleted = "run.completed";
    public const string RunFailed = "run.failed";
    public const string RunCancelled = "run.cancelled";
    public const string RunPaused = "run.paused";
    public const string RunResumed = "run.resumed";
    public const string NodeStarted = "node.started";
    public const string NodeCompleted = "node.completed";
    public const string NodeFailed = "node.failed";
    public const string NodeSuspended = "node.suspended";
    public const string NodeResumed = "node.resumed";
    public const string NodeRetried = "node.retried";
    public const string NodeSkipped = "node.skipped";
    public const string NodeCancelled = "node.cancelled";
    public const string NodeDispatched = "node.dispatched";
    public const string InterruptRequested = "interrupt.requested";
    public const string InterruptResolved = "interrupt.resolved";
    public const string ApprovalRequested = "approval.requested";
    public const string ApprovalReceived = "approval.received";
    public const string ClarificationRequested = "clarification.requested";
    public const string ClarificationResolved = "clarification.resolved";
    public const string ChannelWritten = "channel.written";
    public const string ArtifactCreated = "artifact.created";
    public const string OutputChunk = "output.chunk";
    public const string VariableChanged = "variable.changed";
    public const string LogAppended = "log.appended";
    public const string OrchestratorDecided = "runOrchestrator.decided";
    public const string AgentReasoned = "agent.reasoned";
    public const string AgentReasoningDelta = "agent.reasoning.delta";
    public const string AgentToolCalled = "agent.toolCalled";
    public const string AgentToolReturned = "agent.toolReturned";
    public const string AgentHandoff = "agent.handoff";
    public const string AgentDecided = "agent.decided";
    public const string ConversationOpened = "conversation.opened";
    public const string ConversationExchanged = "conversation.exchanged";
    public const string ConversationClosed = "conversation.closed";
    public const string MemoryWritten = "memory.written";
    public const string ProviderUsage = "provider.usage";
    public const string EnvelopeRetryAttempted = "envelope.retry.attempted";
    public const string EnvelopeRetryExhausted = "envelope.retry.exhausted";
    public const string EnvelopeRefusal = "envelope.refusal";
    public const string EnvelopeTruncated = "envelope.truncated";
    public const string EnvelopeRecoveryApplied = "envelope.recovery.applied";
    public const string EnvelopeNlToFormatEngaged = "envelope.nlToFormat.engaged";
    public const string VersionPinned = "version.pinned";
    public const string LoopbackLimit = "workflow.loopback-limit";
    public const string CapBreached = "cap.breached";
    public const string ReplayDiverged = "replay.diverged";

    /// <summary>True for the one event that ends a run and is last in its log.</summary>
    public static bool IsTerminal(string type) => type is RunCompleted or RunFailed or RunCancelled;
}
