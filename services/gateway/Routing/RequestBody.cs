using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>Reads the body of a request as bytes. What is in it is for the service that acts to judge.</summary>
internal static class RequestBody
{
    private const string MaxBytesSetting = "OPENWOP_MAX_REQUEST_BODY_BYTES";
    private const int DefaultMaxBytes = 4 * 1024 * 1024;

    /// <summary>A body travels on in one message, whose limit is a little higher.</summary>
    private const int LargestMaxBytes = 7 * 1024 * 1024;

    /// <summary>
    /// What is read of a body that is refused for its size. A client that sends all of it before it looks at the answer would otherwise
    /// find a broken connection in its place.
    /// </summary>
    private const long MaxDiscardedBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan MaxDiscardTime = TimeSpan.FromSeconds(5);

    /// <summary>Largest request body that is accepted.</summary>
    public static long MaxRequestBodyBytes(this IConfiguration configuration) =>
        configuration.Number(MaxBytesSetting, DefaultMaxBytes, min: 1024, LargestMaxBytes);

    /// <exception cref="ProtocolException">415: the media type is not JSON.</exception>
    /// <exception cref="BadHttpRequestException">413, or the body is not well-formed HTTP.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await RefuseTooLargeAsync(request, cancellationToken);
        var reader = request.BodyReader;
        var read = await reader.ReadAsync(cancellationToken);
        if (read.IsCompleted && read.Buffer.IsEmpty)
            return default;

        if (!IsJson(request.ContentType))
            throw new ProtocolException(new(ErrorCodes.UnsupportedMediaType, "The request body must be application/json."));

        return await ReadToEndAsync(reader, read, cancellationToken);
    }

    /// <summary>Like <see cref="ReadAsync"/>, whatever the media type says.</summary>
    /// <exception cref="BadHttpRequestException">413, or the body is not well-formed HTTP.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAnyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await RefuseTooLargeAsync(request, cancellationToken);
        return await ReadToEndAsync(request.BodyReader, await request.BodyReader.ReadAsync(cancellationToken), cancellationToken);
    }

    /// <exception cref="ProtocolException">413: the body is announced to be larger than what is accepted.</exception>
    private static async ValueTask RefuseTooLargeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { MaxRequestBodySize: { } max } limit || request.ContentLength is not { } length || length <= max)
            return;

        if (length <= MaxDiscardedBytes && !limit.IsReadOnly)
        {
            limit.MaxRequestBodySize = length;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(MaxDiscardTime);
            try
            {
                await request.Body.CopyToAsync(Stream.Null, patience.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Too slow: the answer goes out, and the connection is closed with it.
            }
        }

        throw new ProtocolException(new(ErrorCodes.PayloadTooLarge, $"A request body may have at most {max} bytes."));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ReadToEndAsync(PipeReader reader, ReadResult read, CancellationToken cancellationToken)
    {
        while (!read.IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync(cancellationToken);
        }

        var body = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.End);
        return body;
    }

    /// <summary>No media type at all counts as JSON: there is nothing else it could be.</summary>
    private static bool IsJson(string? contentType)
    {
        if (string.IsNullOrEmpty(contentType))
            return true;

        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}
