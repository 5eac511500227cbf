using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>The requests of a streaming call, as the client writes them.</summary>
internal sealed class ClientRequestStream<TRequest, TResponse>(InProcessCall<TRequest, TResponse> call) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private bool _completed;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <exception cref="RpcException">The call has ended; with the status of the call.</exception>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed)
            throw new InvalidOperationException("Request stream has already been completed.");

        ThrowIfEnded();
        await using var registration = cancellationToken.UnsafeRegister(
            static call => ((InProcessCall<TRequest, TResponse>)call!).Cancel(), call).ConfigureAwait(false);

        var size = MessageCopy.Measure(message, call.Definition.RequestMarshaller);
        MessageCopy.CheckSize(size, call.Channel.MaxSendMessageSize, maxReceive: null);
        // On the network it is the server that finds out and ends the call.
        if (size > call.Settings.MaxReceiveMessageSize)
            call.EndEarly(MessageCopy.TooLargeToReceive);

        ThrowIfEnded();
        await call.Requests.WriteAsync(MessageCopy.Copy(message, call.Definition.RequestMarshaller), size).ConfigureAwait(false);
        if (call.Requests.IsAborted)
            ThrowIfEnded();
    }

    public Task CompleteAsync()
    {
        _completed = true;
        call.Requests.Complete();
        return Task.CompletedTask;
    }

    private void ThrowIfEnded()
    {
        if (call.End is not { } end)
            return;

        throw end.Status.StatusCode == StatusCode.OK
            ? new RpcException(new Status(StatusCode.Cancelled, "The call has already completed."))
            : end.ToException();
    }
}

/// <summary>The responses of a streaming call, as the client reads them.</summary>
internal sealed class ClientResponseStream<TRequest, TResponse>(InProcessCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    public TResponse Current { get; private set; } = default!;

    /// <exception cref="RpcException">The call ended with a status other than OK.</exception>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        Current = null!;
        // Reading with a token that is cancelled cancels the call, as on the network.
        await using var registration = cancellationToken.UnsafeRegister(
            static call => ((InProcessCall<TRequest, TResponse>)call!).Cancel(), call).ConfigureAwait(false);

        if (call.End is not { } end)
        {
            if (await call.Responses.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } next)
            {
                Current = next;
                return true;
            }

            end = call.EndReceived();
        }

        return end.Status.StatusCode == StatusCode.OK ? false : throw end.ToException();
    }
}
