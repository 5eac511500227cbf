using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// One token out of two: the caller's own and the one of the ambient call. Released when the call is over, because either of the two
/// may live much longer than the call.
/// </summary>
internal sealed class CancellationLink : IDisposable
{
    private readonly CancellationTokenSource _linked;

    private CancellationLink(CancellationToken ambient, CancellationToken own)
        => _linked = CancellationTokenSource.CreateLinkedTokenSource(ambient, own);

    /// <summary>Puts deadline and cancellation of the ambient call into the options of a call.</summary>
    /// <returns>What has to be released at the end of the call, or null when nothing had to be linked.</returns>
    public static CancellationLink? Propagate<TRequest, TResponse>(ref ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        if (AmbientCall.Current is not { } ambient)
            return null;

        var options = context.Options;
        if (AmbientCall.EarlierDeadline(options.Deadline, ambient) is { } deadline)
            options = options.WithDeadline(deadline);

        CancellationLink? link = null;
        var own = options.CancellationToken;
        if (ambient.CancellationToken is { CanBeCanceled: true } token && token != own)
        {
            link = own.CanBeCanceled ? new CancellationLink(token, own) : null;
            options = options.WithCancellationToken(link?._linked.Token ?? token);
        }

        context = new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options);
        return link;
    }

    public async Task<TResponse> Until<TResponse>(Task<TResponse> response)
    {
        try
        {
            return await response.ConfigureAwait(false);
        }
        finally
        {
            Dispose();
        }
    }

    public IAsyncStreamReader<TResponse> Until<TResponse>(IAsyncStreamReader<TResponse> responses) => new LinkedStream<TResponse>(responses, this);

    public Action Until(Action dispose) => () =>
    {
        dispose();
        Dispose();
    };

    public void Dispose() => _linked.Dispose();

    private sealed class LinkedStream<TResponse>(IAsyncStreamReader<TResponse> responses, CancellationLink link) : IAsyncStreamReader<TResponse>
    {
        public TResponse Current => responses.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var more = false;
            try
            {
                return more = await responses.MoveNext(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // The end of the stream or its failure is the end of the call.
                if (!more)
                    link.Dispose();
            }
        }
    }
}
