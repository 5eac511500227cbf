using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace OpenWop.Micro.Grpc.SharedPort;

/// <summary>
/// The transport of the server that speaks HTTP/2: instead of accepting connections from a socket it takes over those that a public
/// endpoint has recognized.
/// </summary>
internal sealed class Http2HandOver : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();

    public EndPoint EndPoint { get; } = new HandOverEndPoint();

    /// <summary>Has a connection served; done when the connection has ended.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        var taken = new HandedOverConnection(connection);
        if (_connections.Writer.TryWrite(taken))
            await taken.Ended.ConfigureAwait(false);
        else
            connection.Abort(new ConnectionAbortedException("The server is shutting down."));
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    /// <summary>The next connection, or null when no more will come.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        => await _connections.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _connections.Reader.TryRead(out var connection)
            ? connection
            : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _connections.Writer.TryComplete();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private sealed class HandOverEndPoint : EndPoint
    {
        public override string ToString() => "http2-prior-knowledge";
    }
}
