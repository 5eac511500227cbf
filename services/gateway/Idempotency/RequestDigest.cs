using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Gateway.Idempotency;

/// <summary>The digests that tie a call to its idempotency record (spec/http-core.md 6.1).</summary>
internal static class RequestDigest
{
    /// <summary>
    /// <c>sha256(tenant ':' endpoint ':' key)</c>. The tenant is the one of the credential, the endpoint the routed operation.
    /// </summary>
    public static byte[] RecordId(string tenant, string endpoint, string key) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}:{endpoint}:{key}"));

    /// <summary>
    /// The request as the client meant it: the ids in the route, because the record is kept per routed operation, and the body in
    /// canonical form, so that member order, white space and the spelling of numbers and strings do not matter.
    /// </summary>
    /// <exception cref="ProtocolException">400: the body is not JSON.</exception>
    public static byte[] OfRequest(string resourceId, string nodeId, ReadOnlyMemory<byte> body)
    {
        try
        {
            var document = body.IsEmpty ? JsonElement.Parse("{}"u8) : JsonElement.Parse(body.Span);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            // Digests of fixed length: no character can move from one part to the next.
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(resourceId)));
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(nodeId)));
            hash.AppendData(CanonicalJson.Digest(document));
            return hash.GetHashAndReset();
        }
        catch (JsonException)
        {
            throw new ProtocolException(ProtocolError.Validation("The request body is not valid JSON."));
        }
    }

    /// <summary>What a run keeps unique of a call whose credential is a token.</summary>
    public static string OfToken(string token, string key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{token}:{key}")));

    /// <summary>
    /// What the acting service keeps unique. It differs per execution, so that a key that has been forgotten is fresh, and per
    /// request, so that a corrected request is never answered with the outcome of the first.
    /// </summary>
    public static string RequestId(ReadOnlySpan<byte> recordId, ReadOnlySpan<byte> execution, ReadOnlySpan<byte> requestDigest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(recordId);
        hash.AppendData(execution);
        hash.AppendData(requestDigest);
        return Base64Url.EncodeToString(hash.GetHashAndReset());
    }
}
