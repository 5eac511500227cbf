namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// One direction of a stream: messages wait here until the other side reads them. One writer, one reader.
/// A write completes when the buffer is back within its limits, which is the backpressure that HTTP/2 flow control gives on the
/// network; the buffer holds at most one message more than they allow.
/// </summary>
/// <param name="maxMessages">Messages that may wait.</param>
/// <param name="maxBytes">Bytes that may wait.</param>
internal sealed class MessageBuffer<T>(int maxMessages = MessageBuffer<T>.DefaultMaxMessages, long maxBytes = MessageBuffer<T>.DefaultMaxBytes)
    where T : class
{
    private const int DefaultMaxMessages = 64;
    private const long DefaultMaxBytes = 256 * 1024;

    private static readonly Task<T?> NoMoreMessages = Task.FromResult<T?>(null);

    private readonly Lock _gate = new();
    private readonly Queue<(T Message, int Size)> _waiting = new();
    private long _waitingBytes;
    private bool _completed;
    private bool _aborted;
    private TaskCompletionSource<T?>? _reader;
    private TaskCompletionSource? _writer;

    /// <summary>Whether the call ended before the stream did. Messages that still waited are gone.</summary>
    public bool IsAborted => Volatile.Read(ref _aborted);

    /// <summary>Adds a message. After an abort it is dropped silently: the caller has to look at <see cref="IsAborted"/>.</summary>
    /// <exception cref="InvalidOperationException">The previous write is still in progress, or the stream is already complete.</exception>
    public Task WriteAsync(T message, int size)
    {
        TaskCompletionSource<T?>? reader;
        lock (_gate)
        {
            if (_aborted)
                return Task.CompletedTask;

            if (_completed)
                throw new InvalidOperationException("The stream has already been completed.");

            if (_writer is not null)
                throw new InvalidOperationException("Can't write the message because the previous write is in progress.");

            reader = _reader;
            if (reader is null)
            {
                _waiting.Enqueue((message, size));
                _waitingBytes += size;
                if (IsWithinLimits)
                    return Task.CompletedTask;

                _writer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _writer.Task;
            }

            _reader = null;
        }

        reader.TrySetResult(message);
        return Task.CompletedTask;
    }

    /// <summary>The next message, or null when there is none any more: the writer completed the stream, or the call was aborted.</summary>
    /// <exception cref="InvalidOperationException">The previous read is still in progress.</exception>
    public Task<T?> ReadAsync(CancellationToken cancellationToken = default)
    {
        TaskCompletionSource<T?> reader;
        lock (_gate)
        {
            if (_reader is not null)
                throw new InvalidOperationException("Can't read the next message because the previous read is still in progress.");

            if (_waiting.TryDequeue(out var next))
            {
                _waitingBytes -= next.Size;
                if (_writer is not null && IsWithinLimits)
                {
                    _writer.TrySetResult();
                    _writer = null;
                }

                return Task.FromResult<T?>(next.Message);
            }

            if (_completed || _aborted)
                return NoMoreMessages;

            _reader = reader = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return cancellationToken.CanBeCanceled ? WaitAsync(reader, cancellationToken) : reader.Task;
    }

    /// <summary>No more messages will be written; those that wait are still delivered.</summary>
    public void Complete()
    {
        TaskCompletionSource<T?>? reader;
        lock (_gate)
        {
            _completed = true;
            reader = _reader;
            _reader = null;
        }

        reader?.TrySetResult(null);
    }

    /// <summary>Ends the stream at once for both sides and drops what waits.</summary>
    public void Abort()
    {
        TaskCompletionSource<T?>? reader;
        TaskCompletionSource? writer;
        lock (_gate)
        {
            Volatile.Write(ref _aborted, true);
            _waiting.Clear();
            _waitingBytes = 0;
            (reader, _reader) = (_reader, null);
            (writer, _writer) = (_writer, null);
        }

        reader?.TrySetResult(null);
        writer?.TrySetResult();
    }

    private bool IsWithinLimits => _waiting.Count <= maxMessages && _waitingBytes <= maxBytes;

    private async Task<T?> WaitAsync(TaskCompletionSource<T?> reader, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (buffer, waiting) = ((MessageBuffer<T>, TaskCompletionSource<T?>))state!;
            lock (buffer._gate)
            {
                // Gone already: a message was handed over, and a cancelled read may not lose it.
                if (buffer._reader != waiting)
                    return;

                buffer._reader = null;
            }

            waiting.TrySetCanceled(token);
        }, (this, reader)).ConfigureAwait(false);

        return await reader.Task.ConfigureAwait(false);
    }
}
