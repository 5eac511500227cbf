using Spectre.Console;

namespace OpenWop.Micro.Cli.Output;

/// <summary>Secrets from whoever types them, unseen, or from a pipe.</summary>
internal static class SecretInput
{
    /// <exception cref="CliException">Nothing was given.</exception>
    public static async Task<string> ReadAsync(string what, CancellationToken cancellationToken)
    {
        var secret = Console.IsInputRedirected
            ? await Console.In.ReadLineAsync(cancellationToken) ?? ""
            : await new TextPrompt<string>(what + ":").Secret().ShowAsync(Terminal.Error, cancellationToken);
        return secret.Trim() is { Length: > 0 } given ? given : throw new CliException(ExitCodes.Usage, "Nothing was given.");
    }
}
