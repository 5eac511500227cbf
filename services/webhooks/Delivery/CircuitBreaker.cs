using System.Collections.Immutable;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>What a subscription may send now.</summary>
internal enum CircuitState
{
    /// <summary>Everything that is due.</summary>
    Closed,

    /// <summary>Nothing.</summary>
    Open,

    /// <summary>One delivery, to find out whether the receiver is back.</summary>
    HalfOpen,

    /// <summary>Nothing ever again: the URL must be registered anew.</summary>
    Failed,
}

/// <summary>
/// The circuit breaker of one subscription (spec/webhooks-packs.md 1.8). A value: the caller stores it with the outcome of
/// the attempt, and lets only one probe out while it is half-open.
/// </summary>
internal sealed record CircuitBreaker
{
    /// <summary>A circuit that has seen nothing yet.</summary>
    public static readonly CircuitBreaker New = new();

    /// <summary>When it opens, for how long, and when it is enough.</summary>
    public CircuitRules Rules { get; init; } = CircuitRules.Default;

    /// <summary>Failures since the last success.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>When the circuit was opened last, if it has not been closed since.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>Times of the failures that still count, oldest first; never more than end the subscription.</summary>
    public ImmutableList<DateTimeOffset> Failures { get; init; } = [];

    /// <summary>Whether the subscription has ended.</summary>
    public bool IsFailed { get; init; }

    public CircuitState StateAt(DateTimeOffset now) => this switch
    {
        { IsFailed: true } => CircuitState.Failed,
        { OpenedAt: null } => CircuitState.Closed,
        { OpenedAt: { } opened } => now - opened >= Rules.OpenFor ? CircuitState.HalfOpen : CircuitState.Open,
    };

    /// <summary>After an attempt that succeeded. Old failures go on counting in their window.</summary>
    public CircuitBreaker AfterSuccess() => IsFailed ? this : this with { ConsecutiveFailures = 0, OpenedAt = null };

    /// <summary>After an attempt that failed; a delivery that was not sent is no failure.</summary>
    public CircuitBreaker AfterFailure(DateTimeOffset now)
    {
        if (IsFailed)
        {
            return this;
        }

        var failures = Failures.RemoveAll(at => now - at >= Rules.FailureWindow).Add(now);
        var consecutive = ConsecutiveFailures + 1;

        // Attempts that were under way when the circuit opened must not keep it open for longer.
        var opens = consecutive >= Rules.FailuresToOpen && StateAt(now) != CircuitState.Open;
        return this with
        {
            ConsecutiveFailures = consecutive,
            OpenedAt = opens ? now : OpenedAt,
            Failures = failures,
            IsFailed = failures.Count >= Rules.FailuresToFail,
        };
    }
}
