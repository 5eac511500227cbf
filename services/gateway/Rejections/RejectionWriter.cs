using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Rejections;

/// <summary>
/// Passes on what the server writes to a connection; once it has been told of a rejection, completes the head of the answer that follows
/// with the error envelope. One writer at a time, as of any pipe.
/// </summary>
internal sealed class RejectionWriter(PipeWriter inner) : PipeWriter
{
    private ArrayBufferWriter<byte>? _held;
    private bool _hasBody;

    private static ReadOnlySpan<byte> Version => "HTTP/1.1 "u8;

    private static ReadOnlySpan<byte> NoContent => "Content-Length: 0\r\n"u8;

    private static ReadOnlySpan<byte> EndOfHead => "\r\n\r\n"u8;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes + (_held?.WrittenCount ?? 0);

    /// <summary>What is written from now on is held back until it is flushed.</summary>
    /// <param name="hasBody">False for an answer to HEAD.</param>
    public void Rejected(bool hasBody)
    {
        _held = new ArrayBufferWriter<byte>();
        _hasBody = hasBody;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _held?.GetMemory(sizeHint) ?? inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _held is { } held ? held.GetSpan(sizeHint) : inner.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        if (_held is { } held)
            held.Advance(bytes);
        else
            inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        PassOn();
        return inner.FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _held is null ? inner.WriteAsync(source, cancellationToken) : base.WriteAsync(source, cancellationToken);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        PassOn();
        inner.Complete(exception);
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        PassOn();
        return inner.CompleteAsync(exception);
    }

    /// <summary>The answer with its body, or whatever else it is as it is.</summary>
    private void PassOn()
    {
        if (_held is not { WrittenCount: > 0 } held)
            return;

        var answer = held.WrittenSpan;
        var content = answer.IndexOf(NoContent);
        if (!_hasBody || !answer.StartsWith(Version) || content < 0 || !answer.EndsWith(EndOfHead) || !Utf8Parser.TryParse(answer[Version.Length..], out int status, out _))
        {
            inner.Write(answer);
        }
        else
        {
            var body = BodyOf(status);
            inner.Write(answer[..content]);
            inner.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\nContent-Type: application/json\r\n")));
            inner.Write(answer[(content + NoContent.Length)..]);
            inner.Write(body);
        }

        // The server closes the connection after it: there is one answer.
        _held = null;
    }

    private static byte[] BodyOf(int status) => (status switch
    {
        StatusCodes.Status405MethodNotAllowed => new ProtocolError(ErrorCodes.MethodNotAllowed, "The target does not serve this method."),
        StatusCodes.Status408RequestTimeout => new ProtocolError(ErrorCodes.RequestTimeout, "The request arrived too slowly."),
        StatusCodes.Status413PayloadTooLarge => new ProtocolError(ErrorCodes.PayloadTooLarge, "The request body is too large."),
        StatusCodes.Status414UriTooLong => new ProtocolError(ErrorCodes.UriTooLong, "The first line of the request is too long."),
        StatusCodes.Status431RequestHeaderFieldsTooLarge => new ProtocolError(ErrorCodes.HeadersTooLarge, "The headers are too large, or too many."),
        StatusCodes.Status505HttpVersionNotsupported => new ProtocolError(ErrorCodes.HttpVersionNotSupported, "This version of HTTP is not served."),
        _ => ProtocolError.Validation("The request is not well-formed HTTP."),
    }).ToUtf8Bytes();
}
