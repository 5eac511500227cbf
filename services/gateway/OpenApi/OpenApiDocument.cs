using System.Buffers.Text;
using System.Security.Cryptography;

namespace OpenWop.Micro.Gateway.OpenApi;

/// <summary>A document that is written once and served as bytes.</summary>
/// <param name="Json">UTF-8.</param>
internal sealed record OpenApiDocument(ReadOnlyMemory<byte> Json)
{
    /// <summary>Without quotes.</summary>
    public string ETag { get; } = Base64Url.EncodeToString(SHA256.HashData(Json.Span).AsSpan(0, 16));
}
