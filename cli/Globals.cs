using System.CommandLine;
using OpenWop.Micro.Cli.Credentials;
using OpenWop.Micro.Client;

namespace OpenWop.Micro.Cli;

/// <summary>What every command understands: which server, in whose name, and for whom the output is.</summary>
internal static class Globals
{
    public const string ServerVariable = "OPENWOP_SERVER";
    public const string KeyVariable = "OPENWOP_KEY";

    private const string DefaultServer = "http://127.0.0.1:8080";

    public static readonly Option<string?> Server = new("--server", "-s")
    {
        Description = $"Address of the server (default: ${ServerVariable}, else where you logged in last)",
        Recursive = true,
        HelpName = "url",
    };

    public static readonly Option<bool> Json = new("--json") { Description = "JSON for scripts instead of tables", Recursive = true };

    /// <summary>The server that a command talks to.</summary>
    public static Uri ServerOf(ParseResult result)
    {
        var text = result.GetValue(Server) ?? Environment.GetEnvironmentVariable(ServerVariable) ?? CredentialFile.Load().Default ?? DefaultServer;
        return Uri.TryCreate(text, UriKind.Absolute, out var server) && server.Scheme is "http" or "https"
            ? server
            : throw new CliException(ExitCodes.Usage, $"'{text}' is not the address of a server.");
    }

    /// <summary>The key for a server; null when there is none.</summary>
    public static string? KeyFor(Uri server) => Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : CredentialFile.Load().Find(server)?.Key;

    /// <summary>A client in the name of whoever is logged in.</summary>
    public static OpenWopClient Connect(ParseResult result)
    {
        var server = ServerOf(result);
        var key = KeyFor(server)
            ?? throw new CliException(ExitCodes.NotAllowed, $"You are not logged in at {server}. Run 'openwop login', or set {KeyVariable}.");
        return Connect(server, key);
    }

    public static OpenWopClient Connect(Uri server, string? key) => new(new OpenWopOptions { BaseAddress = server, ApiKey = key });
}
