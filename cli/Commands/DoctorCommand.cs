using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Credentials;
using OpenWop.Micro.Cli.Hosting;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client;
using Spectre.Console;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop doctor</c>: looks at everything that a command needs, and says what to do about what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Check the server, the key and this machine.");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var checks = new List<Check> { Credentials(), Host() };
        var server = Globals.ServerOf(result);
        var key = Globals.KeyFor(server);
        using var client = new OpenWopClient(new OpenWopOptions { BaseAddress = server, ApiKey = key, MaxRetries = 0, Timeout = TimeSpan.FromSeconds(10) });
        checks.Add(await ServerAsync(client, cancellationToken));
        if (checks[^1].IsFine)
        {
            checks.Add(await ProtocolAsync(client, cancellationToken));
            checks.Add(key is null
                ? new Check("key", false, $"not logged in at {server}", "openwop login")
                : await KeyAsync(client, cancellationToken));
        }

        if (result.GetValue(Globals.Json))
            Terminal.Json(checks);
        else
        {
            foreach (var check in checks)
                Terminal.Out.MarkupLine($"{(check.IsFine ? "[green]ok  [/]" : "[red]fail[/]")} {check.Name,-12} {Markup.Escape(check.Finding)}{(check.Advice is { } advice ? $" [dim]→ {Markup.Escape(advice)}[/]" : "")}");
        }

        return checks.TrueForAll(check => check.IsFine) ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static Check Credentials() => !File.Exists(CredentialFile.Path)
        ? new Check("credentials", true, "no file yet")
        : CredentialFile.IsOpenToOthers
            ? new Check("credentials", false, $"{CredentialFile.Path} can be read by others", $"chmod 600 '{CredentialFile.Path}'")
            : new Check("credentials", true, CredentialFile.Path);

    private static Check Host() => HostFiles.Find() is { } program
        ? new Check("host", true, $"'openwop up' starts {program}")
        : new Check("host", true, $"no server on this machine; 'openwop up' needs {HostFiles.PathVariable}");

    private static async Task<Check> ServerAsync(OpenWopClient client, CancellationToken cancellationToken) => await client.Server.IsReadyAsync(cancellationToken)
        ? new Check("server", true, $"{client.Options.BaseAddress} is ready")
        : new Check("server", false, $"{client.Options.BaseAddress} does not answer, or is not ready", "openwop up");

    private static async Task<Check> ProtocolAsync(OpenWopClient client, CancellationToken cancellationToken)
    {
        try
        {
            var capabilities = await client.Server.GetCapabilitiesAsync(cancellationToken);
            var version = capabilities.TryGetProperty("protocolVersion", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
            return version?.StartsWith('1') == true
                ? new Check("protocol", true, $"OpenWOP {version}")
                : new Check("protocol", false, $"OpenWOP {version ?? "of an unknown version"}; this tool speaks version 1");
        }
        catch (Exception exception) when (exception is OpenWopException or HttpRequestException or JsonException)
        {
            return new Check("protocol", false, $"no discovery document: {exception.Message}");
        }
    }

    private static async Task<Check> KeyAsync(OpenWopClient client, CancellationToken cancellationToken)
    {
        try
        {
            var me = await client.Organization.MeAsync(cancellationToken);
            return new Check("key", true, $"{me.KeyId} of '{me.Organization.Name}', {(me.Member is { } member ? member.Role : me.Mode)}");
        }
        catch (Exception exception) when (exception is OpenWopException or HttpRequestException or TimeoutException)
        {
            return new Check("key", false, exception.Message, "openwop login");
        }
    }

    private sealed record Check(string Name, bool IsFine, string Finding, string? Advice = null);
}
