namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Whether one instance of a service gets calls, by how calls to it end:
/// <list type="number">
/// <item>closed: it gets all; failures in a row are counted, any answer ends the row;</item>
/// <item>open, after <see cref="Threshold"/> failures in a row: it gets none for a while;</item>
/// <item>half open, after that: one call finds out. Its answer closes the breaker; its failure opens it for twice as long, up to
/// <see cref="LongestBreak"/>. A call that never says how it ended is followed by another one after <see cref="ProbePatience"/>.</item>
/// </list>
/// Safe for concurrent use. A failure is that nobody answered; an answer that refuses is an answer.
/// </summary>
internal sealed class CircuitBreaker(TimeProvider time)
{
    public const int Threshold = 5;

    public static readonly TimeSpan FirstBreak = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private int _failures;
    private TimeSpan _break;
    private long _changedAt;
    private volatile State _state;

    private enum State
    {
        Closed,
        Open,
        HalfOpen,
    }

    /// <summary>False while the instance is left alone.</summary>
    public bool IsClosed => _state == State.Closed;

    /// <summary>Whether a call may go to the instance; true makes the caller the one who finds out when the breaker is not closed.</summary>
    public bool TryEnter()
    {
        if (IsClosed)
            return true;

        lock (_gate)
        {
            var waited = time.GetElapsedTime(_changedAt);
            if (_state == State.Closed)
                return true;

            if (waited < (_state == State.Open ? _break : ProbePatience))
                return false;

            Become(State.HalfOpen);
            return true;
        }
    }

    /// <summary>A call got an answer.</summary>
    /// <returns>True when that closed the breaker.</returns>
    public bool Succeeded()
    {
        if (IsClosed && Volatile.Read(ref _failures) == 0)
            return false;

        lock (_gate)
        {
            // Of a call that was under way when the breaker opened: it says nothing about now.
            if (_state == State.Open)
                return false;

            var closes = _state == State.HalfOpen;
            _failures = 0;
            Become(State.Closed);
            return closes;
        }
    }

    /// <summary>A call got no answer.</summary>
    /// <returns>For how long the instance is left alone when that opened the breaker; else null.</returns>
    public TimeSpan? Failed()
    {
        lock (_gate)
        {
            if (_state == State.Open || (_state == State.Closed && ++_failures < Threshold))
                return null;

            _break = _state == State.Closed ? FirstBreak : _break * 2 < LongestBreak ? _break * 2 : LongestBreak;
            Become(State.Open);
            return _break;
        }
    }

    private void Become(State state)
    {
        _changedAt = time.GetTimestamp();
        _state = state;
    }
}
