using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// What the services of one installation share, and nobody else knows: whoever has it can call any service. Setting
/// <c>OPENWOP_SERVICE_SECRET</c>, at least 32 characters. A process that hosts identity together with other services makes a
/// random one at each start when it is not set; processes that are apart need the same one.
/// </summary>
public sealed class ServiceSecret
{
    /// <summary>Name of the setting.</summary>
    public const string Setting = "OPENWOP_SERVICE_SECRET";

    private const int MinLength = 32;

    private readonly byte[] _value;

    internal ServiceSecret(IConfiguration configuration, HostedServices hosted)
    {
        var configured = configuration[Setting];
        if (!string.IsNullOrEmpty(configured))
        {
            if (configured.Length < MinLength)
                throw new InvalidOperationException($"{Setting} must have at least {MinLength} characters.");

            _value = Encoding.UTF8.GetBytes(configured);
            return;
        }

        if (!hosted.Contains("identity") || hosted.Names.Count() == 1)
            throw new InvalidOperationException($"{Setting} is not set. Processes of one installation recognize each other by it.");

        _value = RandomNumberGenerator.GetBytes(32);
        IsGenerated = true;
    }

    /// <summary>Whether the secret lives only as long as this process.</summary>
    public bool IsGenerated { get; }

    /// <summary>Compares in constant time.</summary>
    public bool Matches(ReadOnlySpan<byte> candidate)
    {
        Span<byte> mine = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> other = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_value, mine);
        SHA256.HashData(candidate, other);
        return CryptographicOperations.FixedTimeEquals(mine, other);
    }

    /// <summary>A key of 32 bytes for one purpose, from which the secret cannot be told.</summary>
    public byte[] DeriveKey(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _value, 32, info: Encoding.UTF8.GetBytes(purpose));

    internal ReadOnlyMemory<byte> Value => _value;
}
