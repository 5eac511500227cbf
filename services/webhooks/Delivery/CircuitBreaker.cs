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
    /// <summary>So many failures in a row open the circuit.</summary>
    public const int FailuresToOpen = 4;

    /// <summary>So many failures within <see cref="FailureWindow"/> end the subscription.</summary>
    public const int FailuresToFail = 100;

    /// <summary>How long an open circuit lets nothing out.</summary>
    public static readonly TimeSpan OpenFor = TimeSpan.FromHours(1);

    /// <summary>How long a failure counts.</summary>
    public static readonly TimeSpan FailureWindow = TimeSpan.FromDays(7);

    /// <summary>A circuit that has seen nothing yet.</summary>
    public static readonly CircuitBreaker New = new();

    /// <summary>Failures since the last success.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>When the circuit was opened last, if it has not been closed since.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>Times of the failures that still count, oldest first; never more than <see cref="FailuresToFail"/>.</summary>
    public ImmutableList<DateTimeOffset> Failures { get; init; } = [];

    /// <summary>Whether the subscription has ended.</summary>
    public bool IsFailed { get; init; }

    public CircuitState StateAt(DateTimeOffset now) => this switch
    {
        { IsFailed: true } => CircuitState.Failed,
        { OpenedAt: null } => CircuitState.Closed,
        { OpenedAt: { } opened } => now - opened >= OpenFor ? CircuitState.HalfOpen : CircuitState.Open,
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

        var failures = Failures.RemoveAll(at => now - at >= FailureWindow).Add(now);
        var consecutive = ConsecutiveFailures + 1;

        // Attempts that were under way when the circuit opened must not keep it open for longer.
        var opens = consecutive >= FailuresToOpen && StateAt(now) != CircuitState.Open;
        return this with
        {
            ConsecutiveFailures = consecutive,
            OpenedAt = opens ? now : OpenedAt,
            Failures = failures,
            IsFailed = failures.Count >= FailuresToFail,
        };
    }
}
