namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>The work on one shard, from the moment it is acquired until it is left: disposing ends it, and returns when nothing is written any more.</summary>
internal sealed class Follow : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Bell bell = new();
    private readonly Task work;

    public Follow(Func<Follow, Task> follow)
    {
        Stopped = stop.Token;
        work = Task.Run(() => follow(this));
    }

    /// <summary>The shard is to be left.</summary>
    public CancellationToken Stopped { get; }

    /// <summary>There may be something new.</summary>
    public void Ring() => bell.Ring();

    /// <summary>Until the bell has rung since the last time.</summary>
    public Task WaitAsync() => bell.WaitAsync(Stopped);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await work;
        stop.Dispose();
    }
}
