using System.Runtime.CompilerServices;

namespace OpenWop.Micro.Events;

/// <summary>The messages of some topics, for one reader. Dispose to unsubscribe.</summary>
/// <remarks>
/// Memory is bounded: when <c>capacity</c> messages wait, the next one replaces them all by a gap. A reader that slow has to read the
/// log anyway, and the log holds what was dropped.
/// </remarks>
public sealed class BusSubscription : IAsyncDisposable
{
    private readonly Queue<BusMessage> _messages = new();

    // Without an upper limit: a cancelled wait leaves its signal behind, which only makes a later reader look once more.
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly int _capacity;
    private readonly Func<BusSubscription, ValueTask> _unsubscribe;
    private bool _gap;
    private bool _heard = true;
    private bool _readerWaits;
    private bool _closed;

    internal BusSubscription(IReadOnlyList<string> topics, int capacity, Func<BusSubscription, ValueTask> unsubscribe)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Topics = topics;
        _capacity = capacity;
        _unsubscribe = unsubscribe;
    }

    /// <summary>What is subscribed to.</summary>
    public IReadOnlyList<string> Topics { get; }

    /// <summary>The next message or gap, without waiting.</summary>
    public bool TryRead(out BusMessage message)
    {
        lock (_messages)
            return TryTake(out message);
    }

    /// <summary>Waits for the next message or gap. One reader at a time.</summary>
    /// <exception cref="ObjectDisposedException">The subscription was disposed.</exception>
    public async ValueTask<BusMessage> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_messages)
            {
                if (TryTake(out var message))
                    return message;

                ObjectDisposedException.ThrowIf(_closed, this);
                _readerWaits = true;
            }

            await _arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All messages and gaps until cancelled.</summary>
    public async IAsyncEnumerable<BusMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
            yield return await ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_messages)
        {
            if (_closed)
                return;

            _closed = true;
            _messages.Clear();
            WakeReader();
        }

        await _unsubscribe(this).ConfigureAwait(false);
    }

    internal void Offer(in BusMessage message)
    {
        lock (_messages)
        {
            if (_closed)
                return;

            if (_messages.Count >= _capacity)
            {
                _messages.Clear();
                _gap = true;
            }

            _heard = true;
            _messages.Enqueue(message);
            WakeReader();
        }
    }

    /// <summary>Messages got lost before they came here; which ones nobody knows.</summary>
    internal void OfferGap()
    {
        lock (_messages)
        {
            if (_closed)
                return;

            _gap = true;
            WakeReader();
        }
    }

    /// <summary>A gap unless something came since the last call of this method.</summary>
    internal void OfferGapIfSilent()
    {
        lock (_messages)
        {
            if (!_heard && !_closed)
            {
                _gap = true;
                WakeReader();
            }

            _heard = false;
        }
    }

    private bool TryTake(out BusMessage message)
    {
        if (_gap)
        {
            _gap = false;
            message = BusMessage.Gap;
            return true;
        }

        return _messages.TryDequeue(out message);
    }

    private void WakeReader()
    {
        if (!_readerWaits)
            return;

        _readerWaits = false;
        _arrived.Release();
    }
}
