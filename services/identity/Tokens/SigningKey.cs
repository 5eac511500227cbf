using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Tokens;

/// <summary>A key pair on P-256 that signs internal tokens.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly ECDsa _pair;

    private SigningKey(ECDsa pair, DateTimeOffset createdAt)
    {
        _pair = pair;
        CreatedAt = createdAt;
        KeyId = Base64UrlEncoder.Encode(JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(pair)).ComputeJwkThumbprint());
        Credentials = new SigningCredentials(new ECDsaSecurityKey(pair) { KeyId = KeyId }, InternalTokens.Algorithm);
    }

    /// <summary><c>kid</c>: the RFC 7638 thumbprint of the public key.</summary>
    public string KeyId { get; }

    public DateTimeOffset CreatedAt { get; }

    public SigningCredentials Credentials { get; }

    public static SigningKey Create(DateTimeOffset createdAt) => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), createdAt);

    /// <exception cref="CryptographicException">The bytes are not a private key.</exception>
    public static SigningKey Import(ReadOnlySpan<byte> pkcs8, DateTimeOffset createdAt)
    {
        var pair = ECDsa.Create();
        try
        {
            pair.ImportPkcs8PrivateKey(pkcs8, out _);
            return new SigningKey(pair, createdAt);
        }
        catch
        {
            pair.Dispose();
            throw;
        }
    }

    public byte[] ExportPrivate() => _pair.ExportPkcs8PrivateKey();

    /// <summary>The public half as a JSON Web Key.</summary>
    public string ExportPublic()
    {
        var point = _pair.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64UrlEncoder.Encode(point.X),
            ["y"] = Base64UrlEncoder.Encode(point.Y),
            ["kid"] = KeyId,
            ["use"] = "sig",
            ["alg"] = InternalTokens.Algorithm,
        }.ToJsonString(JsonSerializerOptions.Web);
    }

    public void Dispose() => _pair.Dispose();
}
