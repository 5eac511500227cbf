using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// What a handler sees of an in-process call. The client side of the same call derives from it, so that a call is one object.
/// </summary>
internal abstract class InProcessCallContext : ServerCallContext, IAmbientCall
{
    private static readonly object SelfKey = new();
    private static readonly AuthContext Unauthenticated = new(null, []);

    private readonly IMethod _method;
    private readonly string _host;
    private readonly Metadata? _sentHeaders;
    private Metadata? _requestHeaders;
    private Dictionary<object, object>? _userState;
    private CancellationTokenSource? _cancellation;
    private int _cancelled;
    private IServiceProvider? _services;
    private volatile bool _handlerEnded;

    protected InProcessCallContext(IMethod method, string? host, Metadata? headers, DateTime deadline)
    {
        _method = method;
        _host = host ?? "localhost";
        // Copied when the call starts: the caller may use its Metadata again for the next one.
        _sentHeaders = headers is { Count: > 0 } ? CopyApplicationHeaders(headers) : null;
        DeadlineCore = deadline;
    }

    /// <summary>The scope of this call.</summary>
    public IServiceProvider Services
    {
        get => _services ?? throw new InvalidOperationException("The call has no services before its handler runs.");
        protected set => _services = value;
    }

    ServerCallContext? IAmbientCall.Active => _handlerEnded ? null : this;

    /// <summary>The in-process call behind a context, also where an interceptor passed on a context of its own that wraps it.</summary>
    public static InProcessCallContext From(ServerCallContext context)
        => context as InProcessCallContext
            ?? (context.UserState.TryGetValue(SelfKey, out var self) ? self as InProcessCallContext : null)
            ?? throw new InvalidOperationException("The context does not belong to an in-process call.");

    public bool HandlerEnded => _handlerEnded;

    /// <summary>Ends the call for its client without waiting for the handler. The first end counts.</summary>
    public abstract void EndEarly(Status status);

    public void Cancel() => EndEarly(new Status(StatusCode.Cancelled, "Call canceled by the client."));

    public void ExceedDeadline() => EndEarly(new Status(StatusCode.DeadlineExceeded, string.Empty));

    protected void EndHandler() => _handlerEnded = true;

    /// <summary>Tells the handler that nobody waits for it any more.</summary>
    protected void CancelHandler()
    {
        Interlocked.Exchange(ref _cancelled, 1);
        Volatile.Read(ref _cancellation)?.Cancel();
    }

    protected override string MethodCore => _method.FullName;

    protected override string HostCore => _host;

    protected override string PeerCore => "inproc";

    protected override DateTime DeadlineCore { get; }

    protected override Metadata RequestHeadersCore => _requestHeaders ??= _sentHeaders ?? [];

    protected override CancellationToken CancellationTokenCore => (Volatile.Read(ref _cancellation) ?? CreateCancellation()).Token;

    protected Metadata? Trailers { get; private set; }

    protected override Metadata ResponseTrailersCore => Trailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => Unauthenticated;

    protected override IDictionary<object, object> UserStateCore => _userState ??= new Dictionary<object, object> { [SelfKey] = this };

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
        => throw new NotSupportedException("Deadline and cancellation reach nested calls without a token.");

    /// <summary>Metadata as it arrives at the other side: without the keys that speak to the transport.</summary>
    protected static Metadata CopyApplicationHeaders(Metadata headers)
    {
        var copy = new Metadata();
        for (var i = 0; i < headers.Count; i++)
        {
            if (!IsTransportHeader(headers[i].Key))
                copy.Add(headers[i]);
        }

        return copy;
    }

    private static bool IsTransportHeader(string key) => key is
        "grpc-encoding" or "grpc-accept-encoding" or "grpc-timeout" or "grpc-internal-encoding-request"
        or "content-type" or "content-encoding" or "accept-encoding" or "te" or "host";

    /// <summary>Most handlers never look at the token, so it is made when one does; it may have been cancelled in the meantime.</summary>
    private CancellationTokenSource CreateCancellation()
    {
        var created = new CancellationTokenSource();
        var source = Interlocked.CompareExchange(ref _cancellation, created, null) ?? created;
        if (Volatile.Read(ref _cancelled) == 1)
            source.Cancel();

        return source;
    }
}
