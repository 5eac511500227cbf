using System.Collections.Immutable;
using Grpc.Net.Client.Balancer;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// The instances of a service that answer. Each is asked once a second; one that does not answer twice in a row gets no more calls until it
/// answers again. A connection alone says little: the system accepts it for a process that is frozen. While nobody answers, all get calls.
/// </summary>
internal sealed class ProbedResolver(IReadOnlyList<Uri> addresses, Func<HttpMessageHandler> connections) : Resolver
{
    private const int FailuresUntilOut = 2;
    private const string Path = "/healthz";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _gate = new();
    private readonly int[] _failures = new int[addresses.Count];
    private ImmutableArray<Uri> _told = [];

    public override void Start(Action<ResolverResult> listener)
    {
        Tell(listener);

        // A single one gets every call anyway.
        if (addresses.Count == 1)
            return;

        for (var i = 0; i < addresses.Count; i++)
        {
            var index = i;
            _ = Task.Run(() => ProbeAsync(index, listener));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_stopped.IsCancellationRequested)
        {
            _stopped.Cancel();
            _stopped.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task ProbeAsync(int index, Action<ResolverResult> listener)
    {
        var stopped = _stopped.Token;
        using var client = new HttpClient(connections()) { Timeout = Patience };
        while (!stopped.IsCancellationRequested)
        {
            var answers = await AnswersAsync(client, new Uri(addresses[index], Path), stopped).ConfigureAwait(false);
            lock (_gate)
            {
                _failures[index] = answers ? 0 : Math.Min(_failures[index] + 1, FailuresUntilOut);
                if (!stopped.IsCancellationRequested)
                    Tell(listener);
            }

            await Task.Delay(Interval, stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client, Uri url, CancellationToken stopped)
    {
        try
        {
            // Any answer counts: whether the instance is ready is a question of its own, and it says so in its answers.
            using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, stopped).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private void Tell(Action<ResolverResult> listener)
    {
        ImmutableArray<Uri> answering = [.. addresses.Where((_, index) => _failures[index] < FailuresUntilOut)];
        if (answering.IsEmpty)
            answering = [.. addresses];

        if (answering.SequenceEqual(_told))
            return;

        _told = answering;
        listener(ResolverResult.ForResult([.. answering.Select(address => new BalancerAddress(address.Host, address.Port))]));
    }
}

/// <summary>Makes the resolver of a channel with fixed addresses.</summary>
internal sealed class ProbedResolverFactory(IReadOnlyList<Uri> addresses, Func<HttpMessageHandler> connections) : ResolverFactory
{
    public override string Name => "static";

    public override Resolver Create(ResolverOptions options) => new ProbedResolver(addresses, connections);
}
