namespace OpenWop.Micro.Storage;

/// <summary>Limits of a <see cref="GroupCommit{TItem, TResult}"/>.</summary>
public sealed record GroupCommitOptions
{
    /// <summary>Names the queue in metrics and logs.</summary>
    public required string Name { get; init; }

    /// <summary>Most items in one transaction.</summary>
    public int MaxBatch { get; init; } = 512;

    /// <summary>Most items waiting; further submitters wait for room.</summary>
    public int Capacity { get; init; } = 8192;
}
