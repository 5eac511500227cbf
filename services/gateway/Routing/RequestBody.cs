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

    private const long MaxDiscardedBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan MaxDiscardTime = TimeSpan.FromSeconds(5);

    /// <summary>Largest request body that is accepted.</summary>
    public static long MaxRequestBodyBytes(this IConfiguration configuration) =>
        configuration.Number(MaxBytesSetting, DefaultMaxBytes, min: 1024, LargestMaxBytes);

    /// <exception cref="ProtocolException">415: the media type is not JSON.</exception>
    /// <exception cref="BadHttpRequestException">413, or the body is not well-formed HTTP.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RefuseTooLarge(request);
        var reader = request.BodyReader;
        var read = await reader.ReadAsync(cancellationToken);
        if (read.IsCompleted && read.Buffer.IsEmpty)
        {
            reader.AdvanceTo(read.Buffer.End);
            return default;
        }

        if (!IsJson(request.ContentType))
        {
            // A read that stays open would cost the connection, without a word to the client that uses it again.
            reader.AdvanceTo(read.Buffer.Start);
            throw new ProtocolException(new(ErrorCodes.UnsupportedMediaType, "The request body must be application/json."));
        }

        return await ReadToEndAsync(reader, read, cancellationToken);
    }

    /// <summary>Like <see cref="ReadAsync"/>, whatever the media type says.</summary>
    /// <exception cref="BadHttpRequestException">413, or the body is not well-formed HTTP.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAnyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RefuseTooLarge(request);
        return await ReadToEndAsync(request.BodyReader, await request.BodyReader.ReadAsync(cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Reads on what was refused for its size, within bounds: a client that sends all of it before it looks at the answer would otherwise
    /// find a broken connection in its place.
    /// </summary>
    public static async ValueTask DiscardTooLargeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (LimitOf(request) is not { IsReadOnly: false } limit || !IsTooLarge(request, limit) || request.ContentLength > MaxDiscardedBytes)
            return;

        limit.MaxRequestBodySize = request.ContentLength;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(MaxDiscardTime);
        try
        {
            await request.Body.CopyToAsync(Stream.Null, patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Too slow, or gone: the answer goes out as it can.
        }
    }

    /// <exception cref="ProtocolException">413: the body is announced to be larger than what is accepted.</exception>
    private static void RefuseTooLarge(HttpRequest request)
    {
        if (LimitOf(request) is { } limit && IsTooLarge(request, limit))
            throw new ProtocolException(new(ErrorCodes.PayloadTooLarge, $"A request body may have at most {limit.MaxRequestBodySize} bytes."));
    }

    private static IHttpMaxRequestBodySizeFeature? LimitOf(HttpRequest request) => request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>();

    private static bool IsTooLarge(HttpRequest request, IHttpMaxRequestBodySizeFeature limit) => request.ContentLength > limit.MaxRequestBodySize;

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
