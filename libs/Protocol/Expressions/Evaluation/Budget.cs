namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>
/// Counts the work of one evaluation. Everything whose cost depends on data is paid before it is done; once the budget is
/// used up, everything fails.
/// </summary>
internal sealed class Budget(ExpressionLimits limits)
{
    private const int CharactersPerStep = 32;

    private long left = limits.MaxSteps;

    public int MaxResultBytes => limits.MaxResultBytes;

    public bool IsExhausted => left < 0;

    /// <summary>Steps that are left.</summary>
    public long Left => left;

    /// <summary>Pays for steps; false when the budget does not reach.</summary>
    public bool Spend(long steps)
    {
        left = steps > left ? -1 : left - steps;
        return left >= 0;
    }

    /// <summary>Pays for reading or writing text.</summary>
    public bool SpendText(long characters) => Spend(1 + (characters / CharactersPerStep));

    public Value Exhausted(int position) =>
        Value.Error(ExpressionErrorKind.Limit, position, $"the expression needs more than {limits.MaxSteps} steps");
}
