using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.ServiceDefaults.Logging;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>
/// An active run: one reader, nothing else writes. The way of a command:
/// <list type="number">
/// <item>It waits in the mailbox.</item>
/// <item>The reader takes all that wait and lets each decide on one draft.</item>
/// <item>The driver drives the draft as far as it goes without the outside world.</item>
/// <item>The draft is appended; this returns when it is durable and still ours (lease epoch), or throws.</item>
/// <item>Only then are callers answered and effects started.</item>
/// <item>When nothing runs and nothing waits in the mailbox, it closes: a waiting run is a row, not an object.</item>
/// </list>
/// When the append fails, what is in memory is worthless: the mailbox closes and the next command loads the run again.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without a timer holds nothing.")]
internal sealed partial class RunMailbox
{
    private readonly Channel<RunCommand> commands = Channel.CreateUnbounded<RunCommand>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, Attempt> inFlight = new(StringComparer.Ordinal);
    private readonly SignalInbox inbox = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly RunDriver driver;
    private readonly RunLease lease;
    private readonly OwnedShards shards;
    private readonly NodeRunner runner;
    private readonly RunStore store;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private RunCreation? creation;
    private bool closed;

    public RunMailbox(RunLease lease, OwnedShards shards, RunState state, RunCreation? creation, RunDriver driver, NodeRunner runner, RunStore store, TimeProvider clock, ILogger logger)
    {
        this.lease = lease;
        this.shards = shards;
        State = state;
        this.creation = creation;
        this.driver = driver;
        this.runner = runner;
        this.store = store;
        this.clock = clock;
        this.logger = logger;
    }

    /// <summary>Takes in what waited for the run before it was loaded.</summary>
    public void Receive(IEnumerable<RunSignal> signals)
    {
        foreach (var signal in signals)
            inbox.Add(signal);
    }

    public string RunId => lease.RunId;

    /// <summary>Under which the mailbox may write.</summary>
    public long Epoch => lease.Epoch;

    /// <summary>True once an append has gone through: the store works, whatever comes after.</summary>
    public bool HasCommitted { get; private set; }

    /// <summary>State after the last committed event; any thread may read it.</summary>
    public RunState State { get; private set => Volatile.Write(ref field, value); }

    /// <summary>False when the mailbox has closed: the run must be loaded again.</summary>
    public bool TryPost(RunCommand command)
    {
        lock (gate)
        {
            return !closed && commands.Writer.TryWrite(command);
        }
    }

    /// <summary>Stops without finishing what is in flight; another owner goes on from the log.</summary>
    public void Stop() => stopping.Cancel();

    /// <summary>Runs until the mailbox closes. Never throws; the registry owns the task.</summary>
    public async Task<MailboxEnd> RunAsync()
    {
        List<RunCommand> taken = [];
        var scope = new LogScope { RunId = RunId, Tenant = State.Options?.Tenant };
        using var open = logger.BeginScope(scope);
        try
        {
            Execute([]);
            do
            {
                taken.Clear();
                await TurnAsync(taken);
                scope.Tenant ??= State.Options?.Tenant;
            }
            while (!TryClose() && await commands.Reader.WaitToReadAsync(stopping.Token));
            return MailboxEnd.Idle;
        }
        catch (Exception exception) when (exception is RunMovedException || (exception is OperationCanceledException && stopping.IsCancellationRequested))
        {
            FailAll(taken, new RunMovedException());
            return MailboxEnd.Moved;
        }
        catch (RunExistsException exception)
        {
            FailAll(taken, exception);
            return MailboxEnd.Idle;
        }
        catch (Exception exception)
        {
            Log.AppendFailed(logger, exception, RunId);
            FailAll(taken, exception);
            return MailboxEnd.Failed;
        }
        finally
        {
            CancelInFlight();
        }
    }

    /// <summary>Steps 2 to 5.</summary>
    private async Task TurnAsync(List<RunCommand> taken)
    {
        var draft = NewDraft();
        while (draft.Events.Count < RunDriver.DraftLimit && commands.Reader.TryRead(out var command))
        {
            taken.Add(command);
            if (command is RunCommand.Deliver delivery)
                inbox.Add(delivery.Signal);
            else if (command is RunCommand.StartOver lost)
                Forget(lost.NodeId, lost.Attempt);

            command.Decide(draft, driver);
        }

        bool moreToDo;
        do
        {
            inbox.Decide(draft);
            (var work, moreToDo) = await driver.AdvanceAsync(draft, RunId, stopping.Token);
            moreToDo |= inbox.IsReady(draft.State);
            await CommitAsync(draft, idle: work.IsEmpty, moreToDo);
            foreach (var command in taken)
            {
                command.Committed(State);
            }

            taken.Clear();
            Execute(work);
            draft = NewDraft();
        }
        while (moreToDo);
    }

    /// <param name="idle">No attempt starts after the commit.</param>
    /// <param name="moreToDo">The run goes on by itself after the commit, whoever owns it then.</param>
    private async Task CommitAsync(Draft draft, bool idle, bool moreToDo)
    {
        if (draft.Events.Count == 0 && inbox.Decided.Count == 0)
        {
            // No append checks the epoch, and an answer about a run that has moved on elsewhere would be a wrong one.
            if (!shards.Holds(lease))
                throw new RunMovedException();

            return;
        }

        var result = await store.AppendAsync(new RunAppend(lease, draft.Events, draft.State)
        {
            Creation = creation,
            Graph = driver.Graph,
            MustLoad = moreToDo,
            StoreState = draft.State.IsTerminal || (idle && !moreToDo && !draft.State.HasRunningNodes),
            Sent = [.. SignalRules.Of(State, draft.State), .. draft.Signals],
            Received = [.. inbox.Decided],
            Memory = draft.Memory,
            Committed = () => State = draft.State,
        });
        if (result.Status != AppendStatus.Committed)
        {
            throw new RunExistsException(result.Status, result.OtherRunId!);
        }

        creation = null;
        HasCommitted = true;
        inbox.Committed();

        // The acknowledgement may come before the listener is called.
        State = draft.State;
    }

    /// <summary>
    /// Brings what is executed in line with the committed state: starts attempts that the state says run and nobody executes,
    /// ends those that it no longer says run. After a load that is every attempt that was in the middle.
    /// </summary>
    private void Execute(ImmutableArray<NodeWork> work)
    {
        foreach (var (nodeId, attempt) in inFlight.Where(item => !IsCurrent(item.Key, item.Value)).ToList())
        {
            attempt.Cancellation.Cancel();
            attempt.Cancellation.Dispose();
            inFlight.Remove(nodeId);
        }

        if (State.Status != RunStatus.Running)
            return;

        foreach (var (nodeId, node) in State.Nodes)
        {
            if (node.Status != NodeStatus.Running || inFlight.ContainsKey(nodeId))
                continue;

            var item = work.FirstOrDefault(item => item.Context.Node.Id == nodeId && item.Context.Attempt == node.Attempt && item.Context.Iteration == node.Iteration)
                ?? driver.Resume(State, RunId, nodeId);
            if (item is null)
                continue;

            var cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            var token = cancellation.Token;
            inFlight[nodeId] = new Attempt(node.Attempt, node.Iteration, node.Turn, cancellation);
            runner.Start(
                item,
                result => TryPost(new RunCommand.NodeFinished(result)),
                () => TryPost(new RunCommand.StartOver(nodeId, token)),
                (emission, settled) => TryPost(new RunCommand.NodeEmits(emission, settled)),
                token);
        }
    }

    /// <summary>An attempt has ended without a result: nobody executes it, which <see cref="Execute"/> will notice.</summary>
    private void Forget(string nodeId, CancellationToken attempt)
    {
        if (inFlight.TryGetValue(nodeId, out var current) && current.Cancellation.Token == attempt)
        {
            inFlight.Remove(nodeId);
            current.Cancellation.Dispose();
        }
    }

    private bool IsCurrent(string nodeId, Attempt attempt) =>
        State.Status == RunStatus.Running
        && State.Nodes.TryGetValue(nodeId, out var node)
        && node.Status == NodeStatus.Running
        && (node.Attempt, node.Iteration, node.Turn) == (attempt.Number, attempt.Iteration, attempt.Turn);

    /// <summary>Step 6: under the same lock as posting, so that no command is accepted that nobody would read.</summary>
    private bool TryClose()
    {
        lock (gate)
        {
            closed = !State.HasRunningNodes && !commands.Reader.TryPeek(out _);
            return closed;
        }
    }

    private Draft NewDraft() => driver.NewDraft(State, clock.GetUtcNow());

    private void CancelInFlight()
    {
        foreach (var attempt in inFlight.Values)
        {
            attempt.Cancellation.Cancel();
            attempt.Cancellation.Dispose();
        }

        inFlight.Clear();
    }

    private void FailAll(List<RunCommand> taken, Exception exception)
    {
        lock (gate)
        {
            closed = true;
        }

        while (commands.Reader.TryRead(out var command))
        {
            taken.Add(command);
        }

        foreach (var command in taken)
        {
            command.Failed(exception);
        }
    }

    /// <summary>An attempt that is being executed.</summary>
    /// <param name="Turn">Answers and children that it knows of: after another one it is a new attempt.</param>
    private sealed record Attempt(int Number, int Iteration, int Turn, CancellationTokenSource Cancellation);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Run {RunId}: append failed; the run is loaded again on its next command")]
        public static partial void AppendFailed(ILogger logger, Exception exception, string runId);
    }
}

/// <summary>Why a mailbox is gone.</summary>
internal enum MailboxEnd
{
    /// <summary>The run waits or is over.</summary>
    Idle,

    /// <summary>Another owner goes on.</summary>
    Moved,

    /// <summary>The store failed: the run must be loaded again and go on.</summary>
    Failed,
}

/// <summary>The run was not created: its request or its scope has one already.</summary>
internal sealed class RunExistsException(AppendStatus status, string otherRunId) : Exception("The request or the scope has a run already.")
{
    public AppendStatus Status { get; } = status;

    public string OtherRunId { get; } = otherRunId;
}

/// <summary>The run belongs to somebody else now, or this instance is going away.</summary>
internal sealed class RunMovedException() : ProtocolException(RunErrors.Unavailable);
