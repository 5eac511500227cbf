using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace OpenWop.Micro.Grpc.SharedPort;

/// <summary>Tells HTTP/2 with prior knowledge from everything else by the first bytes of a connection, without consuming them.</summary>
internal sealed class Http2PriorKnowledgeMiddleware(ConnectionDelegate next, Http2HandOver http2, KestrelServerLimits limits)
{
    private enum FirstBytes
    {
        Unclear,
        Http2,
        Other,
        NeverCame,
    }

    // RFC 9113 3.4. The first line is enough: no HTTP/1.1 request can begin with it.
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n"u8;

    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        switch (await PeekAsync(connection).ConfigureAwait(false))
        {
            case FirstBytes.Http2:
                await http2.ServeAsync(connection).ConfigureAwait(false);
                break;
            case FirstBytes.Other:
                await next(connection).ConfigureAwait(false);
                break;
            default:
                break; // Returning closes the connection.
        }
    }

    private async Task<FirstBytes> PeekAsync(ConnectionContext connection)
    {
        // The limits of HTTP/1.1: a connection may be idle for a while, but what it begins to say has to come in time.
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(closing);
        wait.CancelAfter(WithinTimerRange(limits.KeepAliveTimeout));

        var input = connection.Transport.Input;
        var begun = false;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(wait.Token).ConfigureAwait(false);
                var seen = Classify(result.Buffer);
                if (seen == FirstBytes.Unclear && !result.IsCompleted)
                {
                    input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    if (!begun)
                        wait.CancelAfter(WithinTimerRange(limits.RequestHeadersTimeout));

                    begun = true;
                    continue;
                }

                // Nothing is consumed and nothing counts as examined: the next reader gets it all, at once.
                input.AdvanceTo(result.Buffer.Start);
                return seen == FirstBytes.Unclear ? FirstBytes.Other : seen;
            }
        }
        catch (OperationCanceledException) when (wait.IsCancellationRequested)
        {
            return FirstBytes.NeverCame;
        }
        catch (IOException)
        {
            // The client is gone (reset or aborted). That is its right, and nothing has happened yet.
            return FirstBytes.NeverCame;
        }
        catch (ConnectionAbortedException)
        {
            return FirstBytes.NeverCame;
        }
    }

    private static FirstBytes Classify(ReadOnlySequence<byte> buffer)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        first = first[..(int)Math.Min(buffer.Length, first.Length)];
        buffer.Slice(0, first.Length).CopyTo(first);
        if (!Preface.StartsWith(first))
            return FirstBytes.Other;

        return first.Length == Preface.Length ? FirstBytes.Http2 : FirstBytes.Unclear;
    }

    private static TimeSpan WithinTimerRange(TimeSpan limit) => limit > TimeSpan.FromDays(1) ? Timeout.InfiniteTimeSpan : limit;
}
