using System.CommandLine;
using System.Globalization;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Secrets;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop secrets …</c>. Values are typed or piped, never arguments: those can be seen by others.</summary>
internal static class SecretCommands
{
    private static readonly Argument<string> Id = new("secret") { Description = "Id of the secret" };

    public static Command Create() => new("secrets", "Keys of providers and the like, for the nodes of workflows. Nobody reads them back.") { List(), Set(), Delete() };

    private static Command List()
    {
        var command = new Command("list", "All secrets, without their values.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.Secrets.ListAllAsync(cancellationToken).ToListAsync(cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Set()
    {
        var description = new Option<string?>("--description") { Description = "For people" };
        var command = new Command("set", "Store a value, typed or piped, or another one in its place.") { Id, description };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var value = await SecretInput.ReadAsync("Value", cancellationToken);
            var stored = await client.Secrets.SetAsync(result.GetValue(Id)!, value, result.GetValue(description), cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(stored);
            else
                Terminal.Facts(("secret", stored.SecretId), ("version", Number(stored)));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Remove a secret.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Secrets.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Show(ParseResult result, List<Secret> secrets)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(secrets);
        else
        {
            Terminal.Table(
                ["id", "version", "updated", "description"],
                secrets.Select(secret => new[] { secret.SecretId, Number(secret), Terminal.Time(secret.UpdatedAt), secret.Description }));
        }
    }

    private static string Number(Secret secret) => secret.Version.ToString(CultureInfo.InvariantCulture);
}
