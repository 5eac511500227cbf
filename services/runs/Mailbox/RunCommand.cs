using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>
/// Something that may change a run. Commands are answered after the events that they led to are durable; a command without
/// a caller (a due time, a finished node) has nobody to answer.
/// </summary>
internal abstract partial class RunCommand
{
    private RunCommand()
    {
    }

    /// <summary>Decides on the draft; the return value is what the caller gets once the draft is committed.</summary>
    public abstract void Decide(Draft draft, RunDriver driver);

    /// <summary>The draft is durable.</summary>
    public virtual void Committed(RunState state)
    {
    }

    /// <summary>The draft was not committed: the instance lost the run, or the store failed.</summary>
    public virtual void Failed(Exception exception)
    {
    }

    /// <summary>The first command of a run.</summary>
    public sealed class Create(RunStarted started) : Asked
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver)
        {
            if (draft.State.Status == RunStatus.Pending)
                draft.Add(started);

            return null;
        }
    }

    public sealed class Cancel(string? reason, string? cancelledBy) : Asked
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver)
        {
            if (draft.State.Status is RunStatus.Completed or RunStatus.Failed)
                return RunErrors.Terminal(draft.State);

            Decisions.Cancel(draft, reason, cancelledBy);
            return null;
        }
    }

    /// <summary>Resolves the open interrupt of a node.</summary>
    public sealed class Resolve(string nodeId, Answer answer, RequestIdentity? request) : Asked(request)
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver) => InterruptDecisions.Resolve(draft, nodeId, answer);
    }

    public sealed class Pause(string? reason, string drainPolicy, RequestIdentity? request) : Asked(request)
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver) => PauseDecisions.Request(draft, reason, drainPolicy);
    }

    public sealed class Resume(string? reason, RequestIdentity? request) : Asked(request)
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver) => PauseDecisions.Resume(draft, reason);
    }

    /// <summary>A test of the protocol changes variables under a run that goes on.</summary>
    public sealed class SetVariables(IReadOnlyDictionary<string, JsonElement> values) : Asked
    {
        protected override ProtocolError? DecideAnew(Draft draft, RunDriver driver)
        {
            if (draft.State.IsTerminal)
                return RunErrors.Terminal(draft.State);

            foreach (var (name, value) in values)
            {
                JsonElement? previous = draft.State.Variables.TryGetValue(name, out var before) ? before : null;
                draft.Add(new VariableChanged(name, value, previous, Node: null, draft.State.SensitiveVariables.Contains(name)));
            }

            return null;
        }
    }

    public sealed class NodeFinished(NodeResult result) : RunCommand
    {
        public override void Decide(Draft draft, RunDriver driver) => Decisions.NodeFinished(draft, driver.Graph, result);
    }

    /// <summary>An attempt says something while it goes on. What waits in the mailbox together becomes one commit.</summary>
    /// <param name="settled">Called when the event is durable, or never will be.</param>
    public sealed class NodeEmits(NodeEmission emission, Action settled) : RunCommand
    {
        public override void Decide(Draft draft, RunDriver driver) => Decisions.NodeEmitted(draft, emission);

        public override void Committed(RunState state) => settled();

        public override void Failed(Exception exception) => settled();
    }

    /// <summary>A signal of another run has arrived; the mailbox decides on it when it can.</summary>
    public sealed class Deliver(RunSignal signal) : RunCommand
    {
        public RunSignal Signal => signal;

        public override void Decide(Draft draft, RunDriver driver)
        {
        }
    }

    /// <summary>
    /// An attempt could neither succeed nor fail, because what this server itself needs was away. It starts over, as after a crash.
    /// </summary>
    /// <param name="attempt">Tells the attempt from others of the node.</param>
    public sealed class StartOver(string nodeId, CancellationToken attempt) : RunCommand
    {
        public string NodeId => nodeId;

        public CancellationToken Attempt => attempt;

        public override void Decide(Draft draft, RunDriver driver)
        {
        }
    }

    /// <summary>A time has come, or the run has a new owner: what is due shows in the state.</summary>
    public sealed class WakeUp : RunCommand
    {
        public override void Decide(Draft draft, RunDriver driver)
        {
        }
    }
}
