using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace OpenWop.Micro.Grpc.SharedPort;

/// <summary>
/// A connection as the second server sees it: the same transport, and features of its own over those of the original, because each
/// server sets features that belong to its own bookkeeping. Disposing it gives the connection back; only then does the original end.
/// </summary>
internal sealed class HandedOverConnection(ConnectionContext original) : ConnectionContext
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the second server is done with the connection.</summary>
    public Task Ended => _ended.Task;

    public override IDuplexPipe Transport { get; set; } = original.Transport;

    public override string ConnectionId { get; set; } = original.ConnectionId;

    public override IFeatureCollection Features { get; } = new FeatureCollection(original.Features);

    public override IDictionary<object, object?> Items { get; set; } = original.Items;

    public override CancellationToken ConnectionClosed { get; set; } = original.ConnectionClosed;

    public override EndPoint? LocalEndPoint { get; set; } = original.LocalEndPoint;

    public override EndPoint? RemoteEndPoint { get; set; } = original.RemoteEndPoint;

    public override void Abort(ConnectionAbortedException abortReason) => original.Abort(abortReason);

    public override void Abort() => original.Abort();

    public override ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        return base.DisposeAsync();
    }
}
