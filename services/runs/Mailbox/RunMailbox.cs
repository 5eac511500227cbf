using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Store;

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
internal sealed partial class RunMailbox
{
    private readonly Channel<RunCommand> commands = Channel.CreateUnbounded<RunCommand>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, CancellationTokenSource> inFlight = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly RunDriver driver;
    private readonly RunLease lease;
    private readonly NodeRunner runner;
    private readonly RunStore store;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private RunCreation? creation;
    private bool closed;

    public RunMailbox(RunLease lease, RunState state, RunCreation? creation, RunDriver driver, NodeRunner runner, RunStore store, TimeProvider clock, ILogger logger)
    {
        this.lease = lease;
        this.State = state;
        this.creation = creation;
        this.driver = driver;
        this.runner = runner;
        this.store = store;
        this.clock = clock;
        this.logger = logger;
    }

    public string RunId => this.lease.RunId;

    /// <summary>State after the last committed event; any thread may read it.</summary>
    public RunState State { get; private set => Volatile.Write(ref field, value); }

    /// <summary>False when the mailbox has closed: the run must be loaded again.</summary>
    public bool TryPost(RunCommand command)
    {
        lock (this.gate)
        {
            return !this.closed && this.commands.Writer.TryWrite(command);
        }
    }

    /// <summary>Stops without finishing what is in flight; another owner goes on from the log.</summary>
    public void Stop() => this.stopping.Cancel();

    /// <summary>Runs until the mailbox closes. Never throws; the registry owns the task.</summary>
    public async Task<MailboxEnd> RunAsync()
    {
        List<RunCommand> taken = [];
        try
        {
            this.ResumeRunningNodes();
            do
            {
                taken.Clear();
                await this.TurnAsync(taken);
            }
            while (!this.TryClose() && await this.commands.Reader.WaitToReadAsync(this.stopping.Token));
            return MailboxEnd.Idle;
        }
        catch (Exception exception) when (exception is RunMovedException || this.stopping.IsCancellationRequested)
        {
            this.FailAll(taken, new RunMovedException());
            return MailboxEnd.Moved;
        }
        catch (RunExistsException exception)
        {
            this.FailAll(taken, exception);
            return MailboxEnd.Idle;
        }
        catch (Exception exception)
        {
            Log.AppendFailed(this.logger, exception, this.RunId);
            this.FailAll(taken, exception);
            return MailboxEnd.Failed;
        }
        finally
        {
            this.CancelInFlight();
        }
    }

    /// <summary>Steps 2 to 5.</summary>
    private async Task TurnAsync(List<RunCommand> taken)
    {
        var draft = this.NewDraft();
        while (draft.Events.Count < RunDriver.DraftLimit && this.commands.Reader.TryRead(out var command))
        {
            taken.Add(command);
            command.Decide(draft, this.driver);
        }

        bool moreToDo;
        do
        {
            (var work, moreToDo) = await this.driver.AdvanceAsync(draft, this.RunId, this.stopping.Token);
            await this.CommitAsync(draft, idle: work.IsEmpty && !moreToDo);
            foreach (var command in taken)
            {
                command.Committed(this.State);
            }

            taken.Clear();
            this.Start(work);
            draft = this.NewDraft();
        }
        while (moreToDo);
    }

    private async Task CommitAsync(Draft draft, bool idle)
    {
        if (draft.Events.Count == 0)
        {
            return;
        }

        var result = await this.store.AppendAsync(new RunAppend(this.lease, draft.Events, draft.State)
        {
            Creation = this.creation,
            StoreState = draft.State.IsTerminal || (idle && !draft.State.HasRunningNodes),
        });
        if (result.Status != AppendStatus.Committed)
        {
            throw new RunExistsException(result.Status, result.OtherRunId!);
        }

        this.creation = null;
        this.State = draft.State;
        if (draft.State.IsTerminal)
        {
            this.CancelInFlight();
        }
    }

    private void Start(ImmutableArray<NodeWork> work)
    {
        foreach (var item in work)
        {
            // The draft that started the node may have gone on to cancel it.
            if (this.State.Nodes.TryGetValue(item.Context.Node.Id, out var node) && node.Status == NodeStatus.Running && !this.State.IsTerminal)
            {
                var cancellation = CancellationTokenSource.CreateLinkedTokenSource(this.stopping.Token);
                this.inFlight[item.Context.Node.Id] = cancellation;
                this.runner.Start(item, result => this.TryPost(new RunCommand.NodeFinished(result)), cancellation.Token);
            }
        }
    }

    /// <summary>After a load: attempts that were in the middle start over from their beginning.</summary>
    private void ResumeRunningNodes()
    {
        foreach (var (nodeId, node) in this.State.Nodes)
        {
            if (!this.State.IsTerminal && node.Status == NodeStatus.Running && this.driver.Resume(this.State, this.RunId, nodeId) is { } work)
            {
                this.Start([work]);
            }
        }
    }

    /// <summary>Step 6: under the same lock as posting, so that no command is accepted that nobody would read.</summary>
    private bool TryClose()
    {
        lock (this.gate)
        {
            this.closed = !this.State.HasRunningNodes && this.commands.Reader.Count == 0;
            return this.closed;
        }
    }

    private Draft NewDraft() => new(this.State, this.clock.GetUtcNow());

    private void CancelInFlight()
    {
        foreach (var cancellation in this.inFlight.Values)
        {
            cancellation.Cancel();
            cancellation.Dispose();
        }

        this.inFlight.Clear();
    }

    private void FailAll(List<RunCommand> taken, Exception exception)
    {
        lock (this.gate)
        {
            this.closed = true;
        }

        while (this.commands.Reader.TryRead(out var command))
        {
            taken.Add(command);
        }

        foreach (var command in taken)
        {
            command.Failed(exception);
        }
    }

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
internal sealed class RunMovedException() : Exception("The run has moved to another owner.");
