namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>The numbers of the circuit breaker (spec/webhooks-packs.md 1.8).</summary>
internal sealed record CircuitRules
{
    public static readonly CircuitRules Default = new();

    /// <summary>So many failures in a row open the circuit.</summary>
    public int FailuresToOpen { get; init; } = 4;

    /// <summary>How long an open circuit lets nothing out.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromHours(1);

    /// <summary>So many failures within <see cref="FailureWindow"/> end the subscription.</summary>
    public int FailuresToFail { get; init; } = 100;

    /// <summary>How long a failure counts.</summary>
    public TimeSpan FailureWindow { get; init; } = TimeSpan.FromDays(7);
}
