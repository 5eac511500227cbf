using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Secrets;

/// <summary>
/// Seals secrets for a database. Each value is encrypted with AES-256-GCM under a random key of its own, and that key under a
/// <see cref="SealingKeys">sealing key</see>; both are bound to where the value belongs, so that a sealed value that is moved to another
/// owner's row cannot be opened there.
/// </summary>
/// <remarks>
/// A sealed value: format (1 byte), id of the sealing key (8), nonce (12), sealed key (32) and tag (16), nonce (12), ciphertext, tag (16).
/// </remarks>
public sealed class SecretSeal(SealingKeys keys)
{
    private const byte Format = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int WrapStart = 1 + SealingKey.IdSize;
    private const int WrapSize = NonceSize + SealingKey.Size + TagSize;
    private const int ValueStart = WrapStart + WrapSize;

    /// <summary>Bytes that a sealed value has more than the value.</summary>
    public const int Overhead = ValueStart + NonceSize + TagSize;

    /// <summary>Seals a value.</summary>
    /// <param name="owner">Where it belongs, such as tenant and id; the same parts open it.</param>
    public byte[] Seal(ReadOnlySpan<byte> value, params ReadOnlySpan<string> owner)
    {
        var binding = Bind(owner);
        var output = new byte[Overhead + value.Length];
        Span<byte> valueKey = stackalloc byte[SealingKey.Size];
        try
        {
            RandomNumberGenerator.Fill(valueKey);
            Wrap(valueKey, output, binding);
            using var aes = new AesGcm(valueKey, TagSize);
            Encrypt(aes, value, output.AsSpan(ValueStart), binding);
            return output;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(valueKey);
        }
    }

    /// <summary>Opens a sealed value.</summary>
    /// <exception cref="CryptographicException">It was altered, belongs elsewhere, or its sealing key is not among the configured ones.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedValue, params ReadOnlySpan<string> owner)
    {
        var binding = Bind(owner);
        Span<byte> valueKey = stackalloc byte[SealingKey.Size];
        try
        {
            Unwrap(sealedValue, valueKey, binding);
            var value = new byte[sealedValue.Length - Overhead];
            using var aes = new AesGcm(valueKey, TagSize);
            Decrypt(aes, sealedValue[ValueStart..], value, binding);
            return value;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(valueKey);
        }
    }

    /// <summary>The id of the key that has sealed a value, as <see cref="SealingKeys.CurrentId"/>.</summary>
    public static ReadOnlyMemory<byte> KeyIdOf(ReadOnlyMemory<byte> sealedValue) => sealedValue.Slice(1, SealingKey.IdSize);

    /// <summary>The same value sealed with the current key. The value itself is neither decrypted nor changed.</summary>
    /// <exception cref="CryptographicException">As <see cref="Open"/>.</exception>
    public byte[] SealAgain(ReadOnlySpan<byte> sealedValue, params ReadOnlySpan<string> owner)
    {
        var binding = Bind(owner);
        Span<byte> valueKey = stackalloc byte[SealingKey.Size];
        try
        {
            Unwrap(sealedValue, valueKey, binding);
            var output = sealedValue.ToArray();
            Wrap(valueKey, output, binding);
            return output;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(valueKey);
        }
    }

    private void Wrap(ReadOnlySpan<byte> valueKey, Span<byte> output, byte[] binding)
    {
        output[0] = Format;
        keys.Current.Id.CopyTo(output[1..]);
        using var aes = keys.Current.Open();
        Encrypt(aes, valueKey, output.Slice(WrapStart, WrapSize), binding);
    }

    private void Unwrap(ReadOnlySpan<byte> sealedValue, Span<byte> valueKey, byte[] binding)
    {
        if (sealedValue.Length < Overhead || sealedValue[0] != Format)
            throw new CryptographicException("This is not a sealed secret of a known format.");

        var key = keys.Find(sealedValue.Slice(1, SealingKey.IdSize))
            ?? throw new CryptographicException($"A secret is sealed with a key that {SealingKeys.Setting} does not hold.");
        using var aes = key.Open();
        Decrypt(aes, sealedValue.Slice(WrapStart, WrapSize), valueKey, binding);
    }

    /// <summary>Writes nonce, ciphertext and tag.</summary>
    private static void Encrypt(AesGcm aes, ReadOnlySpan<byte> plain, Span<byte> output, byte[] binding)
    {
        RandomNumberGenerator.Fill(output[..NonceSize]);
        aes.Encrypt(output[..NonceSize], plain, output.Slice(NonceSize, plain.Length), output.Slice(NonceSize + plain.Length, TagSize), binding);
    }

    private static void Decrypt(AesGcm aes, ReadOnlySpan<byte> input, Span<byte> plain, byte[] binding) =>
        aes.Decrypt(input[..NonceSize], input.Slice(NonceSize, plain.Length), input.Slice(NonceSize + plain.Length, TagSize), plain, binding);

    /// <summary>The parts with their lengths: no character can move from one part to the next.</summary>
    private static byte[] Bind(ReadOnlySpan<string> owner)
    {
        using var bytes = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in owner)
        {
            var text = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }

        return bytes.ToArray();
    }
}
