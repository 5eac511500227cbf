using System.Collections.Concurrent;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Streaming;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>
/// The active runs of this instance. A command for a run that is not active loads it; a mailbox that closes leaves.
/// </summary>
internal sealed partial class RunRegistry(
    OwnedShards shards,
    RunStore store,
    SignalStore signals,
    Definitions definitions,
    NodeTypes nodeTypes,
    NodeRunner runner,
    IEventBus bus,
    TimeProvider clock,
    ILogger<RunRegistry> logger)
{
    /// <summary>Pause before a run whose append failed is loaded again; doubles with every further setback up to the longest.</summary>
    private static readonly TimeSpan ReloadDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestReloadDelay = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Lazy<Task<RunMailbox>>> mailboxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<RunMailbox, Task> running = new();

    /// <summary>Failures in a row of runs that have not got on since.</summary>
    private readonly ConcurrentDictionary<string, int> setbacks = new(StringComparer.Ordinal);

    public int ActiveRuns => running.Count;

    /// <summary>State of an active run after its last commit; null when the run is not active here, or may be elsewhere by now.</summary>
    public RunState? StateOf(string runId) =>
        shards.LeaseOf(runId) is { } lease
        && mailboxes.TryGetValue(runId, out var entry) && entry is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }
        && entry.Value.Result is var mailbox && mailbox.Epoch == lease.Epoch
            ? mailbox.State
            : null;

    /// <summary>Opens the mailbox of a new run with its first command in it.</summary>
    /// <exception cref="RunMovedException">No shard is owned by this instance.</exception>
    public void Open(RunLease lease, RunCommand.Create command, RunCreation creation, WorkflowGraph graph)
    {
        var mailbox = NewMailbox(lease, RunState.Empty, creation, new RunDriver(graph, nodeTypes));
        mailbox.TryPost(command);
        var entry = new Lazy<Task<RunMailbox>>(Task.FromResult(mailbox));
        mailboxes[lease.RunId] = entry;
        Run(mailbox, entry);
    }

    /// <summary>Puts a command into the mailbox of a run, loading the run when it is not active.</summary>
    /// <exception cref="RunMovedException">This instance does not own the run's shard.</exception>
    public async Task PostAsync(string runId, RunCommand command)
    {
        while (true)
        {
            var entry = mailboxes.GetOrAdd(runId, id => Loading(id));
            RunMailbox mailbox;
            try
            {
                mailbox = await entry.Value;
            }
            catch (Exception exception)
            {
                mailboxes.TryRemove(KeyValuePair.Create(runId, entry));

                // Somebody asked for it when the shard was not ours; now it is.
                if (exception is RunMovedException && shards.LeaseOf(runId) is not null)
                    continue;

                throw;
            }

            if (mailbox.TryPost(command))
            {
                return;
            }

            // It closed in between; load the run again.
            mailboxes.TryRemove(KeyValuePair.Create(runId, entry));
        }
    }

    /// <summary>Wakes a run without waiting for it; failures are logged and tried again.</summary>
    public void Wake(string runId) => _ = PostOrRetryAsync(runId, () => new RunCommand.WakeUp());

    /// <summary>Delivers a signal without waiting for it; failures are logged and tried again.</summary>
    public void Deliver(RunSignal signal)
    {
        // Who commits must not load runs: only the mailbox that is there already gets it on this thread.
        if (!(mailboxes.TryGetValue(signal.Target, out var entry)
            && entry is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }
            && entry.Value.Result.TryPost(new RunCommand.Deliver(signal))))
        {
            _ = Task.Run(() => DeliverAsync(signal));
        }
    }

    /// <summary>Returns when the signal is in the mailbox of its run, or will be tried again later.</summary>
    public Task DeliverAsync(RunSignal signal) => PostOrRetryAsync(signal.Target, () => new RunCommand.Deliver(signal));

    /// <summary>Stops the runs of a shard, or all, and waits until their last append is through.</summary>
    public async Task StopAsync(int? shard)
    {
        var stopping = running.Where(item => shard is null || RunIds.ShardOf(item.Key.RunId) == shard).ToList();
        foreach (var (mailbox, _) in stopping)
        {
            mailbox.Stop();
        }

        await Task.WhenAll(stopping.Select(item => item.Value));
    }

    private Lazy<Task<RunMailbox>> Loading(string runId)
    {
        Lazy<Task<RunMailbox>> entry = null!;
        entry = new Lazy<Task<RunMailbox>>(async () =>
        {
            AmbientCall.Leave();
            var lease = shards.LeaseOf(runId) ?? throw new RunMovedException();
            var state = await store.LoadStateAsync(runId, CancellationToken.None);
            var graph = await definitions.GraphAsync(state, CancellationToken.None);
            var mailbox = NewMailbox(lease, state, creation: null, await DriverAsync(state, graph));
            if (graph.StartsChildren || state.Options?.Parent is not null)
            {
                mailbox.Receive(await signals.OfRunAsync(runId, CancellationToken.None));
            }

            Run(mailbox, entry);
            return mailbox;
        });
        return entry;
    }

    private async Task<RunDriver> DriverAsync(RunState state, WorkflowGraph graph)
    {
        if (state is not { IsTerminal: false, Origin: { IsReplay: true } origin })
            return new RunDriver(graph, nodeTypes);

        var source = new ReplaySource(origin.SourceRunId, await LogAsync(origin.SourceRunId));
        return new ReplayDriver(graph, nodeTypes, source, new ReplayProgress(source, state.RunId, origin.FromSequence, await LogAsync(state.RunId)));
    }

    private async Task<IEnumerable<RunEvent>> LogAsync(string runId) =>
        (await store.ReadEventsAsync(runId, -1, int.MaxValue, CancellationToken.None)).Select(EventCodec.Decode);

    private RunMailbox NewMailbox(RunLease lease, RunState state, RunCreation? creation, RunDriver driver) =>
        new(lease, shards, state, creation, driver, runner, store, clock, logger);

    private void Run(RunMailbox mailbox, Lazy<Task<RunMailbox>> entry)
    {
        // The run outlives the call that opened it: neither its end nor what its log lines carry is the run's.
        using var apart = ExecutionContext.SuppressFlow();
        var task = Task.Run(async () =>
        {
            var end = await mailbox.RunAsync();
            mailboxes.TryRemove(KeyValuePair.Create(mailbox.RunId, entry));
            runner.Forget(mailbox.RunId);
            if (end != MailboxEnd.Failed || mailbox.HasCommitted)
                setbacks.TryRemove(mailbox.RunId, out int _);

            if (end == MailboxEnd.Failed)
                _ = ReloadAsync(mailbox.RunId);

            if (end == MailboxEnd.Moved && mailbox.State.LastSequence >= 0)
                GoOnIfOurs(mailbox);
        });
        running[mailbox] = task;
        _ = task.ContinueWith(_ => running.TryRemove(mailbox, out Task? _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>
    /// The shard of a mailbox was lost and has come back. Who woke the run since may have met this mailbox, and whoever looked for runs
    /// that nobody has in memory may have seen it there.
    /// </summary>
    private void GoOnIfOurs(RunMailbox mailbox)
    {
        if (shards.LeaseOf(mailbox.RunId) is not { } lease)
            return;

        if (lease.Epoch != mailbox.Epoch)
            Wake(mailbox.RunId);
        else
            _ = RetryAsync(mailbox.RunId, () => new RunCommand.WakeUp());
    }

    /// <summary>Loads a run whose append failed, and lets those look into the log who would never hear of it had it been committed after all.</summary>
    private async Task ReloadAsync(string runId)
    {
        await RetryAsync(runId, () => new RunCommand.WakeUp());
        bus.PublishGap(RunTopic.Of(runId));
        bus.PublishGap(SignalDelivery.TopicPrefix);
    }

    private async Task PostOrRetryAsync(string runId, Func<RunCommand> command)
    {
        try
        {
            await PostAsync(runId, command());
        }
        catch (RunMovedException)
        {
            // Its new owner wakes it, and reads its signals.
            setbacks.TryRemove(runId, out int _);
        }
        catch (Exception exception)
        {
            Log.WakeFailed(logger, exception, runId);
            _ = RetryAsync(runId, command);
        }
    }

    private async Task RetryAsync(string runId, Func<RunCommand> command)
    {
        var setback = setbacks.AddOrUpdate(runId, 1, (_, before) => Math.Min(before + 1, 30));
        await Task.Delay(DelayAfter(setback), clock);
        await PostOrRetryAsync(runId, command);
    }

    /// <summary>How long a run is left alone after so many failures in a row.</summary>
    internal static TimeSpan DelayAfter(int setback) =>
        ReloadDelay * Math.Pow(2, setback - 1) is var delay && delay < LongestReloadDelay ? delay : LongestReloadDelay;

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Run {RunId} could not be woken; it is tried again")]
        public static partial void WakeFailed(ILogger logger, Exception exception, string runId);
    }
}
