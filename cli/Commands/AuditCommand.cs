using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop audit</c>: who did what.</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var command = new Command("audit", "Who did what, oldest first.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var isJson = result.GetValue(Globals.Json);
            var rows = new List<string?[]>();
            await foreach (var entry in client.Organization.AuditAsync(cancellationToken))
            {
                if (isJson)
                    Terminal.JsonLine(entry);
                else
                    rows.Add([Member(entry, "at"), Member(entry, "actor"), Member(entry, "action"), Member(entry, "target")]);
            }

            if (!isJson)
                Terminal.Table(["time", "who", "action", "what"], rows);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string? Member(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) ? Terminal.Short(value, 80) : null;
}
