using System.CommandLine;
using OpenWop.Micro.Cli.Credentials;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Organizations;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop keys …</c></summary>
internal static class KeyCommands
{
    private static readonly Argument<string> Id = new("key") { Description = "Id of the key" };
    private static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Nothing but the key" };

    public static Command Create() => new("keys", "API keys of the organization.") { List(), Add(), Rotate(), Revoke() };

    private static Command List()
    {
        var command = new Command("list", "All keys, ended ones too.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var keys = await client.Keys.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(keys);
            else
            {
                Terminal.Table(
                    ["id", "name", "status", "mode", "last used", "scopes"],
                    keys.Select(key => new[] { key.Id, key.Name, key.Status, key.Mode, Terminal.Time(key.LastUsedAt), string.Join(' ', key.Scopes) }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Add()
    {
        var name = new Option<string>("--name") { Description = "For people", DefaultValueFactory = _ => "" };
        var scopes = new Option<string[]>("--scope") { Description = "What the key may do, such as runs:read", Required = true };
        var expires = new Option<DateTimeOffset?>("--expires") { Description = "When it ends by itself" };
        var test = new Option<bool>("--test") { Description = "A key for test data" };
        var command = new Command("add", "Make a key. Shows it, once.") { name, scopes, expires, test, Quiet };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.Keys.CreateAsync(
                result.GetValue(name)!, result.GetValue(scopes)!, result.GetValue(expires), result.GetValue(test), cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Rotate()
    {
        var id = new Argument<string?>("key") { Description = "Id of the key (default: the one you are logged in with)", Arity = ArgumentArity.ZeroOrOne };
        var grace = new Option<int?>("--grace") { Description = "Seconds for which the old key works on (default: a day)" };
        var command = new Command("rotate", "Replace a key by a new one.") { id, grace, Quiet };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var rotated = await client.Keys.RotateAsync(
                result.GetValue(id) ?? "current", result.GetValue(grace) is { } seconds ? TimeSpan.FromSeconds(seconds) : null, cancellationToken);
            if (result.GetValue(id) is null && CredentialFile.Load().Find(client.Options.BaseAddress) is { } mine && mine.Key == client.Options.ApiKey)
            {
                CredentialFile.Load().With(client.Options.BaseAddress, mine with { Key = rotated.Key! }).Save();
                Terminal.Note("You are logged in with the new key.");
            }

            Show(result, rotated);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Revoke()
    {
        var command = new Command("revoke", "End a key at once.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Keys.RevokeAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Show(ParseResult result, ApiKey key)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(key);
        else if (result.GetValue(Quiet))
            Console.Out.WriteLine(key.Key);
        else
            Terminal.Facts(("id", key.Id), ("key", key.Key), ("scopes", string.Join(' ', key.Scopes)), ("expires", Terminal.Time(key.ExpiresAt)));
    }
}
