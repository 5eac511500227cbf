using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>Which ways in are open besides invitations. Nothing configured: none.</summary>
/// <param name="BootstrapTokenHash">SHA-256 of the bootstrap token; null = there is none.</param>
/// <param name="SignUpIsOpen">Whether anybody may found an organization.</param>
internal sealed record AdmissionOptions(byte[]? BootstrapTokenHash, bool SignUpIsOpen)
{
    public const string BootstrapTokenSetting = "OPENWOP_BOOTSTRAP_TOKEN";
    public const string SignUpSetting = "OPENWOP_SIGN_UP";

    private const int MinTokenLength = 20;
    private const int MaxTokenLength = 512;

    /// <exception cref="InvalidOperationException">A setting makes no sense.</exception>
    public static AdmissionOptions From(IConfiguration configuration)
    {
        var token = configuration[BootstrapTokenSetting];
        if (token is { Length: > 0 and (< MinTokenLength or > MaxTokenLength) })
            throw new InvalidOperationException($"{BootstrapTokenSetting} must have {MinTokenLength} to {MaxTokenLength} characters.");

        return new AdmissionOptions(
            string.IsNullOrEmpty(token) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token)),
            configuration[SignUpSetting]?.Trim().ToLowerInvariant() switch
            {
                null or "" or "closed" => false,
                "open" => true,
                _ => throw new InvalidOperationException($"{SignUpSetting} must be open or closed."),
            });
    }
}
