using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>One call, seen from both sides.</summary>
/// <remarks>
/// <para>A call has two ends that live and die separately, as on the network:</para>
/// <list type="number">
/// <item>The handler ends when its method has returned. It leaves a status and trailers behind.</item>
/// <item>The client's end is decided exactly once (<see cref="TryEnd"/>): by the handler's result when the client has received it, or
/// before that by cancellation, disposal or the deadline. The client never waits for a handler that does not listen.</item>
/// </list>
/// <para>When the client ends early, the handler's token is cancelled and both streams are aborted.</para>
/// </remarks>
internal sealed class InProcessCall<TRequest, TResponse> : InProcessCallContext, IThreadPoolWorkItem
    where TRequest : class
    where TResponse : class
{
    private readonly InProcessMethod<TRequest, TResponse>? _handler;
    private readonly InProcessChannelOptions _channel;
    private readonly TimeProvider _time;

    // Continuations run inline: the handler's thread completes it as the last thing it does, early ends come from the thread pool.
    private readonly TaskCompletionSource<TResponse>? _response;
    private readonly MessageBuffer<TRequest>? _requests;
    private readonly MessageBuffer<TResponse>? _responses;

    // The end of the call for its client; set once.
    private CallEnd? _end;
    private volatile bool _disposed;

    private Metadata? _responseHeaders;
    private TaskCompletionSource<Metadata>? _responseHeadersWaiter;

    private CallTriggers? _triggers;

    public InProcessCall(InProcessServer server, Method<TRequest, TResponse> method, string? host, in CallOptions options, DateTime? deadline, InProcessChannelOptions channel)
        : base(method, host, options.Headers, deadline ?? DateTime.MaxValue)
    {
        _time = server.Time;
        _channel = channel;
        if (method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming)
            _requests = new MessageBuffer<TRequest>();
        if (method.Type is MethodType.ServerStreaming or MethodType.DuplexStreaming)
            _responses = new MessageBuffer<TResponse>();
        else
            _response = new TaskCompletionSource<TResponse>();

        _handler = server.Find(method, out var failure);
        if (_handler is null)
            EndBeforeHandler(failure);
    }

    public Method<TRequest, TResponse> Definition => (Method<TRequest, TResponse>)_handler!.Method;

    public MessageBuffer<TRequest> Requests => _requests!;

    public MessageBuffer<TResponse> Responses => _responses!;

    public InProcessChannelOptions Channel => _channel;

    public InProcessServiceSettings Settings => _handler!.Settings;

    public Task<TResponse> ResponseAsync => _response!.Task;

    /// <summary>Starts the handler. The call may end before that: the deadline has passed, or the caller has already cancelled.</summary>
    public void Start(TRequest? request, ServerCallContext? ambient, CancellationToken clientToken)
    {
        if (_handler is null)
            return;

        try
        {
            if (request is not null)
            {
                MessageCopy.CheckSize(MessageCopy.Measure(request, Definition.RequestMarshaller), _channel.MaxSendMessageSize, Settings.MaxReceiveMessageSize);
                request = MessageCopy.Copy(request, Definition.RequestMarshaller);
            }
        }
        catch (RpcException tooLarge)
        {
            EndBeforeHandler(tooLarge.Status);
            return;
        }

        if (!Watch(ambient?.CancellationToken ?? CancellationToken.None, clientToken))
            return;

        // A unary handler runs on the caller's thread until it first waits: no hop, and most calls are done before that. A stream
        // needs two sides that make progress independently. HandleAsync never fails: the call owns its outcome.
        if (request is not null && _response is not null && CanRunInline)
            _ = HandleAsync(request);
        else
            _ = Task.Run(() => HandleAsync(request), CancellationToken.None);
    }

    public void Dispose()
    {
        // Nobody will look at the response of a disposed call, and that must not count as an unobserved failure.
        _disposed = true;
        EndEarly(new Status(StatusCode.Cancelled, "gRPC call disposed."));
        if (_response is { Task.IsFaulted: true })
            _ = _response.Task.Exception;
    }

    /// <summary>Both sides are told from another thread, so that whoever cancels does not run their code.</summary>
    public override void EndEarly(Status status)
    {
        if (TryEnd(status, trailers: null, byHandler: false))
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>How the call ended for its client, or null while it goes on.</summary>
    public CallEnd? End => Volatile.Read(ref _end);

    public Status GetStatus()
        => (End ?? throw new InvalidOperationException("Unable to get the status because the call is not complete.")).Status;

    public Metadata GetTrailers()
        => (End ?? throw new InvalidOperationException("Can't get the call trailers because the call has not completed successfully.")).Trailers ?? [];

    public Task<Metadata> GetResponseHeadersAsync()
    {
        if (Volatile.Read(ref _responseHeadersWaiter) is not { } waiter)
        {
            var created = new TaskCompletionSource<Metadata>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiter = Interlocked.CompareExchange(ref _responseHeadersWaiter, created, null) ?? created;
            CompleteResponseHeaders(waiter);
        }

        return waiter.Task;
    }

    /// <summary>The client has read to the end of the responses: the status of the handler is now the status of the call, unless it ended before.</summary>
    public CallEnd EndReceived()
    {
        TryEnd(Status, Trailers, byHandler: true);
        return End!;
    }

    /// <summary>Sends the headers unless they are already sent, which is what the first message does.</summary>
    public bool TrySendResponseHeaders(Metadata? headers)
    {
        if (Interlocked.CompareExchange(ref _responseHeaders, headers is null ? Metadata.Empty : CopyApplicationHeaders(headers), null) is not null)
            return false;

        if (Volatile.Read(ref _responseHeadersWaiter) is { } waiter)
            CompleteResponseHeaders(waiter);

        return true;
    }

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        return TrySendResponseHeaders(responseHeaders)
            ? Task.CompletedTask
            : throw new InvalidOperationException("Response headers can only be sent once per call.");
    }

    /// <summary>Tells both sides about an early end.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            CancelHandler();
        }
        catch (AggregateException callbacks)
        {
            InProcessLog.CancellationCallbackFailed(Settings.Logger, callbacks, Method);
        }

        _requests?.Abort();
        _responses?.Abort();
        PublishEnd(response: null);
    }

    private static bool CanRunInline
        => SynchronizationContext.Current is null && TaskScheduler.Current == TaskScheduler.Default && RuntimeHelpers.TryEnsureSufficientExecutionStack();

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever a handler throws becomes the status of its call.")]
    private async Task HandleAsync(TRequest? request)
    {
        AmbientCall.Enter(this);
        TResponse? response = null;
        using (var activity = InProcessTracing.Start(Definition))
        {
            try
            {
                await using var scope = Settings.Scopes.CreateAsyncScope();
                Services = scope.ServiceProvider;
                response = await InvokeAsync(request).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                response = null;
                Status = HandlerError.ToStatus(error, this, Settings);
            }

            InProcessTracing.Stop(activity, Status);
        }

        EndHandler();
        TrySendResponseHeaders(null);
        _requests?.Abort();

        // A client that reads a stream takes the status after the last message; otherwise response and status arrive together.
        if (_responses is not null)
            _responses.Complete();
        else if (TryEnd(Status, Trailers, byHandler: true))
            PublishEnd(response);
    }

    /// <summary>Runs the handler and, where there is one response, makes the client's copy of it.</summary>
    private async ValueTask<TResponse?> InvokeAsync(TRequest? request)
    {
        TResponse? response;
        switch (Definition.Type)
        {
            case MethodType.Unary:
                response = await _handler!.Unary!(request!, this).ConfigureAwait(false);
                break;
            case MethodType.ClientStreaming:
                response = await _handler!.ClientStreaming!(new HandlerRequestStream<TRequest, TResponse>(this), this).ConfigureAwait(false);
                break;
            case MethodType.ServerStreaming:
                await _handler!.ServerStreaming!(request!, new HandlerResponseStream<TRequest, TResponse>(this), this).ConfigureAwait(false);
                return null;
            default:
                await _handler!.DuplexStreaming!(
                    new HandlerRequestStream<TRequest, TResponse>(this), new HandlerResponseStream<TRequest, TResponse>(this), this).ConfigureAwait(false);
                return null;
        }

        if (response is null)
            throw new RpcException(new Status(StatusCode.Cancelled, "No message returned from method."));

        MessageCopy.CheckSize(MessageCopy.Measure(response, Definition.ResponseMarshaller), Settings.MaxSendMessageSize, _channel.MaxReceiveMessageSize);
        return MessageCopy.Copy(response, Definition.ResponseMarshaller);
    }

    /// <summary>Lets deadline and tokens end the call. False when they already did.</summary>
    private bool Watch(CancellationToken ambientToken, CancellationToken clientToken)
    {
        if (Deadline == DateTime.MaxValue && !clientToken.CanBeCanceled && !ambientToken.CanBeCanceled)
            return true;

        _triggers = new CallTriggers(this, _time);
        _triggers.Arm(clientToken, ambientToken);
        if (End is null)
            return true;

        // Whoever ended the call in the meantime may not have seen all of them.
        _triggers.Release();
        return false;
    }

    /// <summary>The server refuses the call.</summary>
    private void EndBeforeHandler(Status status)
    {
        TryEnd(status, trailers: null, byHandler: true);
        _requests?.Abort();
        _responses?.Complete();
        PublishEnd(response: null);
    }

    private bool TryEnd(Status status, Metadata? trailers, bool byHandler)
    {
        if (Volatile.Read(ref _end) is not null || Interlocked.CompareExchange(ref _end, CallEnd.Create(status, trailers, byHandler), null) is not null)
            return false;

        _triggers?.Release();
        return true;
    }

    private void PublishEnd(TResponse? response)
    {
        if (Volatile.Read(ref _responseHeadersWaiter) is { } waiter)
            CompleteResponseHeaders(waiter);

        if (_response is null)
            return;

        if (_end!.Status.StatusCode == StatusCode.OK && response is not null)
        {
            _response.TrySetResult(response);
            return;
        }

        _response.TrySetException(
            _end.Status.StatusCode == StatusCode.OK
                ? new RpcException(new Status(StatusCode.Internal, "Failed to deserialize response message."))
                : _end.ToException());
        if (_disposed)
            _ = _response.Task.Exception;
    }

    private void CompleteResponseHeaders(TaskCompletionSource<Metadata> waiter)
    {
        if (Volatile.Read(ref _responseHeaders) is { } headers)
            waiter.TrySetResult(headers.Count == 0 ? [] : headers);
        else if (End is { ByHandler: true })
            waiter.TrySetResult([]);
        else if (End is { } end && waiter.TrySetException(end.ToException()))
            _ = waiter.Task.Exception;
    }
}
