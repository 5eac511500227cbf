using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace OpenWop.Micro.Storage;

/// <summary>
/// Lets many writers share one commit. A durable commit costs a disk flush whether it carries one row or five hundred, so
/// throughput comes from carrying more rows, not from flushing less.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>A submitter puts its item into a bounded queue and waits for its own task. When the queue is full it waits for room.</item>
/// <item>One pump takes whatever is queued (at most <see cref="GroupCommitOptions.MaxBatch"/>). It never waits for more: while
/// a commit runs the next batch gathers by itself, so batches grow with load and a lone item is not delayed.</item>
/// <item>The handler writes all items of the batch in ONE transaction and returns one result per item.</item>
/// <item>The commit makes the batch durable. Only now anybody hears of it: first the submitters' tasks complete, then
/// <c>onCommitted</c> is called with the batch. Batches follow each other, so both see commit order, which is submission order.</item>
/// <item>When the transaction fails it has left nothing behind. The pump then runs the items one by one in submission order, each in a
/// transaction of its own, so that a bad item fails alone and its neighbours do not notice.</item>
/// <item>When the connection broke during the commit nobody knows whether it happened
/// (<see cref="CommitOutcomeUnknownException"/>). Running items again could write them twice: all submitters get that
/// exception, and have to look into the database. When the database is not available at all, no item is to blame, and trying
/// hundreds of them one by one would only make their submitters wait: they all fail together.</item>
/// <item>At shutdown the queue closes, what is in it is committed, and <see cref="DisposeAsync"/> returns.</item>
/// </list>
/// </remarks>
/// <typeparam name="TItem">What is submitted.</typeparam>
/// <typeparam name="TResult">What the handler answers per item.</typeparam>
public sealed partial class GroupCommit<TItem, TResult> : IAsyncDisposable
{
    private readonly Database _database;
    private readonly GroupCommitOptions _options;
    private readonly Func<WriteSession, IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> _handler;
    private readonly Action<IReadOnlyList<TItem>, IReadOnlyList<TResult>>? _onCommitted;
    private readonly ILogger _logger;
    private readonly KeyValuePair<string, object?> _queueTag;
    private readonly Channel<Submission> _queue;
    private readonly Task _pump;

    /// <param name="database">Where to write.</param>
    /// <param name="options">Name and limits.</param>
    /// <param name="handler">Writes a batch and answers one result per item, in order. Must be repeatable (step 5): state outside the session changes in <paramref name="onCommitted"/> only.</param>
    /// <param name="onCommitted">Called after each commit in commit order, for publishing. Must not block: the next commit waits for it.</param>
    /// <param name="logger">Hears of failed batches.</param>
    public GroupCommit(
        Database database,
        GroupCommitOptions options,
        Func<WriteSession, IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> handler,
        Action<IReadOnlyList<TItem>, IReadOnlyList<TResult>>? onCommitted = null,
        ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        _database = database;
        _options = options;
        _handler = handler;
        _onCommitted = onCommitted;
        _logger = logger ?? NullLogger.Instance;
        _queueTag = new("queue", options.Name);
        _queue = Channel.CreateBounded<Submission>(new BoundedChannelOptions(options.Capacity) { SingleReader = true });
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>Commits an item together with its neighbours; completes when it is durable.</summary>
    /// <param name="item">What to write.</param>
    /// <param name="cancellationToken">Withdraws the item while it still waits. Once its transaction has begun the call ends with the outcome.</param>
    /// <exception cref="OperationCanceledException">The item was withdrawn; nothing was written.</exception>
    /// <exception cref="ObjectDisposedException">The group commit is closed.</exception>
    /// <exception cref="CommitOutcomeUnknownException">See step 6.</exception>
    public async Task<TResult> SubmitAsync(TItem item, CancellationToken cancellationToken)
    {
        // 1. Queue, then wait for the own outcome.
        var submission = new Submission(item);
        try
        {
            await _queue.Writer.WriteAsync(submission, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(_options.Name, "The group commit is closed.");
        }

        StorageMetrics.QueueDepth.Add(1, _queueTag);
        await using var withdrawal = cancellationToken.UnsafeRegister(
            static (waiting, token) => ((Submission)waiting!).Withdraw(token), submission).ConfigureAwait(false);
        return await submission.Outcome.ConfigureAwait(false);
    }

    /// <summary>Refuses new items, commits the queued ones, returns.</summary>
    public async ValueTask DisposeAsync()
    {
        // 7. The pump ends when the closed queue is empty.
        _queue.Writer.TryComplete();
        await _pump.ConfigureAwait(false);
    }

    private async Task PumpAsync()
    {
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            // 2. Whatever is there now.
            var batch = new List<Submission>();
            var taken = 0;
            while (batch.Count < _options.MaxBatch && _queue.Reader.TryRead(out var submission))
            {
                taken++;
                if (submission.TryTake())
                    batch.Add(submission);
            }

            if (batch.Count > 0)
                await CommitAsync(batch).ConfigureAwait(false);

            StorageMetrics.QueueDepth.Add(-taken, _queueTag);
        }
    }

    private async Task CommitAsync(List<Submission> batch)
    {
        if (await TryCommitAsync(batch).ConfigureAwait(false) is not { } failure)
            return;

        if (batch.Count == 1 || DatabaseErrors.IsUnavailable(failure))
        {
            // 6. Also the end of step 5 for a bad item.
            Fail(batch, failure);
            return;
        }

        // 5. One by one.
        Log.BatchFailed(_logger, _options.Name, batch.Count, failure);
        for (var i = 0; i < batch.Count; i++)
        {
            if (await TryCommitAsync([batch[i]]).ConfigureAwait(false) is not { } single)
                continue;

            if (DatabaseErrors.IsUnavailable(single))
            {
                Fail(batch[i..], single);
                return;
            }

            Fail([batch[i]], single);
        }
    }

    /// <summary>Null when the batch is durable, otherwise why it is not.</summary>
    private async Task<Exception?> TryCommitAsync(List<Submission> batch)
    {
        var items = new TItem[batch.Count];
        for (var i = 0; i < items.Length; i++)
            items[i] = batch[i].Item;

        IReadOnlyList<TResult> results;
        var started = Stopwatch.GetTimestamp();
        try
        {
            // 3. One transaction.
            results = await _database.WriteAsync(
                async session =>
                {
                    var answers = await _handler(session, items).ConfigureAwait(false);
                    return answers.Count == items.Length
                        ? answers
                        : throw new InvalidOperationException($"The handler answered {answers.Count} results for {items.Length} items.");
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return exception;
        }

        // 4. Durable: acknowledge, then publish.
        StorageMetrics.CommitSeconds.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, _queueTag);
        StorageMetrics.BatchSize.Record(items.Length, _queueTag);
        for (var i = 0; i < items.Length; i++)
            batch[i].Complete(results[i]);

        try
        {
            _onCommitted?.Invoke(items, results);
        }
        catch (Exception exception)
        {
            // The commit stands whatever the listener does; listeners lose messages, never data.
            Log.CallbackFailed(_logger, _options.Name, exception);
        }

        return null;
    }

    private void Fail(List<Submission> batch, Exception failure)
    {
        StorageMetrics.FailedItems.Add(batch.Count, _queueTag);
        foreach (var submission in batch)
            submission.Fail(failure);
    }

    private sealed class Submission(TItem item)
    {
        private const int Waiting = 0;
        private const int Taken = 1;
        private const int Withdrawn = 2;

        // Continuations run elsewhere: the pump must not execute what submitters do next.
        private readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _state;

        public TItem Item => item;

        public Task<TResult> Outcome => _completion.Task;

        public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;

        public void Withdraw(CancellationToken cancellationToken)
        {
            if (Interlocked.CompareExchange(ref _state, Withdrawn, Waiting) == Waiting)
                _completion.TrySetCanceled(cancellationToken);
        }

        public void Complete(TResult result) => _completion.TrySetResult(result);

        public void Fail(Exception exception) => _completion.TrySetException(exception);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "Group commit {Queue}: a batch of {Count} failed; its items are committed one by one.")]
        public static partial void BatchFailed(ILogger logger, string queue, int count, Exception exception);

        [LoggerMessage(EventId = 1102, Level = LogLevel.Error, Message = "Group commit {Queue}: the callback after a commit failed.")]
        public static partial void CallbackFailed(ILogger logger, string queue, Exception exception);
    }
}
