namespace OpenWop.Micro.Webhooks;

/// <summary>Tells one who waits that there may be something to do. Rung twice before anybody looks, it has rung once.</summary>
internal sealed class Bell(bool isRung = false) : IDisposable
{
    private readonly SemaphoreSlim semaphore = new(isRung ? 1 : 0, 1);

    public void Ring()
    {
        try
        {
            semaphore.Release();
        }
        catch (SemaphoreFullException)
        {
            // Rung already.
        }
    }

    /// <summary>Until it has rung since the last time.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => semaphore.WaitAsync(cancellationToken);

    public void Dispose() => semaphore.Dispose();
}
