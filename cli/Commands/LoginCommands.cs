using System.CommandLine;
using OpenWop.Micro.Cli.Credentials;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>login</c>, <c>logout</c>, <c>whoami</c>. Secrets are typed or piped, never arguments: those can be seen by others.</summary>
internal static class LoginCommands
{
    private static readonly Option<bool> Bootstrap = new("--bootstrap") { Description = "The secret is the server's bootstrap token: found an organization" };
    private static readonly Option<bool> Invitation = new("--invitation") { Description = "The secret is an invitation: become a member" };
    private static readonly Option<string?> Name = new("--name") { Description = "Your name as a new member" };

    public static Command Login()
    {
        var command = new Command("login", "Log in with an API key, an invitation or a bootstrap token, typed or piped.") { Bootstrap, Invitation, Name };
        command.SetAction(LoginAsync);
        return command;
    }

    public static Command Logout()
    {
        var command = new Command("logout", "Forget the key of a server. The key itself stays valid.");
        command.SetAction(result =>
        {
            var server = Globals.ServerOf(result);
            CredentialFile.Load().Without(server).Save();
            Terminal.Note($"Logged out at {server}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command WhoAmI()
    {
        var command = new Command("whoami", "Who you are, and where.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var me = await client.Organization.MeAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
            {
                Terminal.Json(me);
                return ExitCodes.Ok;
            }

            Terminal.Facts(
                ("server", client.Options.BaseAddress.AbsoluteUri.TrimEnd('/')),
                ("organization", $"{me.Organization.Name} ({me.Organization.Id})"),
                ("member", me.Member is { } member ? $"{member.Name} ({member.Role})" : null),
                ("key", $"{me.KeyId} ({me.Mode})"),
                ("scopes", string.Join(' ', me.Scopes)));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Notes a key that works.</summary>
    public static async Task<ServerCredential> RememberAsync(Uri server, string key, OpenWopClient client, CancellationToken cancellationToken)
    {
        var me = await client.Organization.MeAsync(cancellationToken);
        var credential = new ServerCredential(key, me.Organization.Name, me.Member?.Name, me.Member?.Role);
        CredentialFile.Load().With(server, credential).Save();
        return credential;
    }

    private static async Task<int> LoginAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var server = Globals.ServerOf(result);
        var (bootstrap, invitation) = (result.GetValue(Bootstrap), result.GetValue(Invitation));
        if (bootstrap && invitation)
            throw new CliException(ExitCodes.Usage, "Either --bootstrap or --invitation.");

        var secret = await SecretInput.ReadAsync(bootstrap ? "Bootstrap token" : invitation ? "Invitation" : "API key", cancellationToken);
        var key = secret;
        if (bootstrap || invitation)
        {
            using var stranger = Globals.Connect(server, key: null);
            var admission = bootstrap
                ? await stranger.Organization.BootstrapAsync(secret, result.GetValue(Name) ?? Environment.UserName, cancellationToken: cancellationToken)
                : await stranger.Organization.AcceptInvitationAsync(secret, result.GetValue(Name), cancellationToken);
            key = admission.Key;
        }

        using var client = Globals.Connect(server, key);
        var credential = await RememberAsync(server, key, client, cancellationToken);
        if (result.GetValue(Globals.Json))
            Terminal.Json(new { server, credential.Organization, credential.Name, credential.Role });
        else
            Terminal.Note($"Logged in at {server} in '{credential.Organization}'{(credential.Role is { } role ? $" as {role}" : "")}.");

        return ExitCodes.Ok;
    }
}
