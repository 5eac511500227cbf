using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>The requests of a streaming call, as the handler reads them.</summary>
internal sealed class HandlerRequestStream<TRequest, TResponse>(InProcessCall<TRequest, TResponse> call) : IAsyncStreamReader<TRequest>
    where TRequest : class
    where TResponse : class
{
    public TRequest Current { get; private set; } = default!;

    /// <exception cref="OperationCanceledException">The client is gone, or the token of this read was cancelled.</exception>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (call.HandlerEnded)
            throw new InvalidOperationException("Can't read messages after the request is complete.");

        Current = null!;
        var next = await call.Requests.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (next is not null)
        {
            Current = next;
            return true;
        }

        return call.Requests.IsAborted ? throw new OperationCanceledException("The client ended the call.", call.CancellationToken) : false;
    }
}

/// <summary>The responses of a streaming call, as the handler writes them.</summary>
internal sealed class HandlerResponseStream<TRequest, TResponse>(InProcessCall<TRequest, TResponse> call) : IServerStreamWriter<TResponse>
    where TRequest : class
    where TResponse : class
{
    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    /// <exception cref="OperationCanceledException">The client is gone, or the token was cancelled, which cancels the call.</exception>
    public async Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        if (call.HandlerEnded)
            throw new InvalidOperationException("Can't write the message because the request is complete.");

        var size = MessageCopy.Measure(message, call.Definition.ResponseMarshaller);
        MessageCopy.CheckSize(size, call.Settings.MaxSendMessageSize, maxReceive: null);
        if (size > call.Channel.MaxReceiveMessageSize)
        {
            // On the network it is the client that finds out and resets the call.
            call.EndEarly(MessageCopy.TooLargeToReceive);
            throw new OperationCanceledException("The client ended the call.", call.CancellationToken);
        }

        await using var registration = cancellationToken.UnsafeRegister(static call => ((InProcessCall<TRequest, TResponse>)call!).Cancel(), call).ConfigureAwait(false);
        call.TrySendResponseHeaders(null);
        await call.Responses.WriteAsync(MessageCopy.Copy(message, call.Definition.ResponseMarshaller), size).ConfigureAwait(false);

        if (call.Responses.IsAborted)
            throw new OperationCanceledException("The client ended the call.", call.CancellationToken);
    }
}
