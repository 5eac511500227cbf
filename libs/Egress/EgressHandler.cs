namespace OpenWop.Micro.Egress;

/// <summary>
/// Lets a client library that brings its own protocol send through an <see cref="EgressHttp"/>, and bounds the body of each answer,
/// also one that is streamed.
/// </summary>
/// <param name="maxBytes">Largest body, decompressed; reading further fails.</param>
public sealed class EgressHandler(EgressHttp http, int maxBytes) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var bounded = new StreamContent(new BoundedStream(await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), maxBytes));
        foreach (var header in answer.Content.Headers)
            bounded.Headers.TryAddWithoutValidation(header.Key, header.Value);

        answer.Content = bounded;
        return answer;
    }

    /// <summary>Reads at most so many bytes.</summary>
    private sealed class BoundedStream(Stream inner, long left) : Stream
    {
        private long left = left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();

            base.Dispose(disposing);
        }

        private int Count(int read)
        {
            left -= read;
            return left >= 0 ? read : throw new ResponseTooLargeException();
        }
    }
}

/// <summary>The body of an answer is larger than allowed.</summary>
public sealed class ResponseTooLargeException() : IOException("The answer is too large.");
