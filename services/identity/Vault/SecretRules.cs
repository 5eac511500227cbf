using System.Text;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>What a secret may be called and hold.</summary>
internal static partial class SecretRules
{
    /// <summary>Bytes. Shorter values could not be told from ordinary text where they must be taken out of it.</summary>
    public const int MinValue = 8;
    public const int MaxValue = 64 * 1024;
    public const int MaxDescription = 256;

    /// <summary>Secrets of one tenant and mode.</summary>
    public const int MaxSecrets = 500;

    /// <summary>Secrets that are resolved at once.</summary>
    public const int MaxResolved = 32;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void CheckId(string id)
    {
        if (!Id().IsMatch(id))
            throw Invalid("A secret's id has 1 to 128 letters, digits, '.', '_' and '-', and begins with a letter or digit.", "secretId");
    }

    public static void CheckValue(ReadOnlySpan<byte> value)
    {
        if (value.Length is < MinValue or > MaxValue)
            throw Invalid($"The value must have {MinValue} to {MaxValue} bytes.", "value");

        try
        {
            Strict.GetCharCount(value);
        }
        catch (DecoderFallbackException)
        {
            throw Invalid("The value must be text.", "value");
        }
    }

    public static void CheckDescription(string description)
    {
        if (description.Length > MaxDescription || description.Any(char.IsControl))
            throw Invalid($"The description must be one line of at most {MaxDescription} characters.", "description");
    }

    private static ProtocolException Invalid(string message, string field) => new(ProtocolError.Validation(message, field));

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}
