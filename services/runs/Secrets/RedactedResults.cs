using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Secrets;

/// <summary>
/// Results without secrets. An attempt's result passes here before the engine sees it, an effect's before it is stored: what the log, the
/// state and everything made of them hold comes from nowhere else.
/// </summary>
internal static class RedactedResults
{
    public static NodeResult Redact(this Redactor redactor, NodeResult result) => redactor.IsEmpty ? result : result with
    {
        Outcome = redactor.Redact(result.Outcome),
        VariableWrites = [.. result.VariableWrites.Select(write => write with { Value = redactor.Redact(write.Value) })],
        ChannelWrites = [.. result.ChannelWrites.Select(write => write with { Value = redactor.Redact(write.Value) })],
        LogLines = [.. result.LogLines.Select(line => new LogLine(line.Level, redactor.Redact(line.Message), line.Fields is { } fields ? redactor.Redact(fields) : null))],
        Events = [.. result.Events.Select(redactor.Redact)],
        Memory = [.. result.Memory.Select(change => change is MemoryChange.Put put ? put with { Entry = redactor.Redact(put.Entry) } : change)],
        Artifacts = [.. result.Artifacts.Select(artifact => artifact with
        {
            ArtifactId = redactor.Redact(artifact.ArtifactId),
            Data = redactor.Redact(artifact.Data),
            Title = artifact.Title is { } title ? redactor.Redact(title) : null,
            Summary = artifact.Summary is { } summary ? redactor.Redact(summary) : null,
        })],
    };

    public static NodeEvent Redact(this Redactor redactor, NodeEvent @event) => @event with { Payload = redactor.Redact(@event.Payload) };

    public static ActivityResult Redact(this Redactor redactor, ActivityResult result) => redactor.IsEmpty ? result : result with
    {
        Value = redactor.Redact(result.Value),
        Error = result.Error is { } error ? redactor.Redact(error) : null,
    };

    private static MemoryEntry Redact(this Redactor redactor, MemoryEntry entry) =>
        entry with { Content = redactor.Redact(entry.Content), Tags = [.. entry.Tags.Select(redactor.Redact)] };

    private static NodeError Redact(this Redactor redactor, NodeError error) => error with
    {
        Code = redactor.Redact(error.Code),
        Message = redactor.Redact(error.Message),
        Details = error.Details is { } details ? redactor.Redact(details) : null,
    };

    private static NodeOutcome Redact(this Redactor redactor, NodeOutcome outcome) => outcome switch
    {
        NodeOutcome.Completed completed => completed with
        {
            Outputs = redactor.Redact(completed.Outputs),
            LoopState = completed.LoopState is { } state ? redactor.Redact(state) : null,
        },
        NodeOutcome.Failed failed => new NodeOutcome.Failed(redactor.Redact(failed.Error)),
        NodeOutcome.Suspended { Interrupt: var interrupt } => new NodeOutcome.Suspended(interrupt with
        {
            Data = redactor.Redact(interrupt.Data),
            ResumeSchema = interrupt.ResumeSchema is { } schema ? redactor.Redact(schema) : null,
            Reason = interrupt.Reason is { } reason ? redactor.Redact(reason) : null,
        }),
        NodeOutcome.Delayed delayed => delayed with { Outputs = redactor.Redact(delayed.Outputs) },
        _ => outcome,
    };
}
