using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop connectors</c>: the types of blocks, and what may be set in one.</summary>
internal static class ConnectorsCommand
{
    public static Command Create()
    {
        var type = new Argument<string?>("type") { Description = "One of them, with its parameters and outputs", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("connectors", "What workflows can be made of with 'workflows patch'.") { type };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            if (result.GetValue(type) is { } name)
            {
                Terminal.Json(await client.Catalogue.ConnectorAsync(name, cancellationToken));
                return ExitCodes.Ok;
            }

            var connectors = await client.Catalogue.ConnectorsAsync(cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(connectors);
            else
                Terminal.Table(["type", "category", "description"], connectors.Select(connector => new[] { Text(connector, "type"), Text(connector, "category"), Text(connector, "description") }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string? Text(JsonElement connector, string name) => connector.TryGetProperty(name, out var value) ? Terminal.Short(value, 120) : null;
}
