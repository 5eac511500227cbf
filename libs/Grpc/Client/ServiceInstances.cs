using Grpc.Net.Client.Balancer;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Knows which instances of a service get calls. A host that watches them anyway, such as a proxy, says so in
/// <see cref="ServiceGrpcClientOptions.Instances"/>; without, each channel asks its instances itself.
/// </summary>
public abstract class ServiceInstances
{
    /// <summary>The instances that get calls, as soon as they are known and whenever they change. Never an empty list.</summary>
    public abstract IAsyncEnumerable<IReadOnlyList<Uri>> WatchAsync(CancellationToken cancellationToken);

    /// <summary>Calls to an instance got no answer, and it gets no more of this channel's for a while.</summary>
    public abstract void LeftAlone(Uri instance, TimeSpan pause);
}

/// <summary>The instances that somebody else watches.</summary>
internal sealed class WatchedResolver(ServiceInstances instances) : Resolver
{
    private readonly CancellationTokenSource _stopped = new();

    public override void Start(Action<ResolverResult> listener) => _ = Task.Run(() => FollowAsync(listener));

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_stopped.IsCancellationRequested)
        {
            _stopped.Cancel();
            _stopped.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task FollowAsync(Action<ResolverResult> listener)
    {
        try
        {
            await foreach (var addresses in instances.WatchAsync(_stopped.Token).ConfigureAwait(false))
                listener(ResolverResult.ForResult([.. addresses.Select(address => new BalancerAddress(address.Host, address.Port))]));
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The channel is closed.
        }
    }
}

internal sealed class WatchedResolverFactory(ServiceInstances instances) : ResolverFactory
{
    public override string Name => "static";

    public override Resolver Create(ResolverOptions options) => new WatchedResolver(instances);
}
