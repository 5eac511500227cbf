namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Repeats recorded events in a replay. What was decided or said stays as it is; what belongs to the run, the identity of an
/// interrupt or the former value of a variable, is the replay's own.
/// </summary>
internal static class RecordedFacts
{
    public static void Repeat(Draft draft, string nodeId, RunEventBody recorded)
    {
        var open = draft.State.Nodes[nodeId].Interrupt;
        RunEventBody? body = recorded switch
        {
            VariableChanged changed => changed with { Previous = draft.State.Variables.TryGetValue(changed.Name, out var previous) ? previous : null },
            NodeRetried retried => retried with { DueAt = draft.Now },
            NodeSuspended suspended => suspended with { InterruptId = IdOf(draft.State, open!), DueAt = Due(draft, open!) },
            InterruptResolved resolved => resolved with { InterruptId = open!.Id },
            NodeResumed resumed => resumed with { InterruptId = open!.Id },
            UnknownEvent { Type: Protocol.Events.EventTypes.ApprovalRequested or Protocol.Events.EventTypes.ClarificationRequested } =>
                new LegacyRequest(nodeId, IdOf(draft.State, open!), open!.Request.Kind, open.Request),
            UnknownEvent => null, // Of a newer version: it can be kept, but not written again.
            _ => recorded,
        };
        if (body is not null)
            draft.Add(body);
    }

    private static string IdOf(RunState state, OpenInterrupt open) => InterruptDecisions.IdOf(state, open.RequestSequence);

    private static DateTimeOffset? Due(Draft draft, OpenInterrupt open) =>
        open.Request.TimeoutMs is > 0 and var timeout ? draft.Now.AddMilliseconds(timeout) : null;
}
