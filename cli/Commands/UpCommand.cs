using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using OpenWop.Micro.Cli.Credentials;
using OpenWop.Micro.Cli.Hosting;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client;

namespace OpenWop.Micro.Cli.Commands;

/// <summary>
/// <c>openwop up</c>: a server on this machine. The first time it also founds an organization and logs in, with a bootstrap token
/// that nobody else ever sees.
/// </summary>
internal static class UpCommand
{
    private static readonly Option<int> Port = new("--port", "-p") { Description = "Port on 127.0.0.1; 0 = any free one", DefaultValueFactory = _ => 8080 };
    private static readonly Option<string> Data = new("--data", "-d") { Description = "Directory of the data", DefaultValueFactory = _ => "./data" };
    private static readonly Option<string?> Name = new("--name") { Description = "Your name as the first owner (default: your user name)" };

    public static Command Create()
    {
        var command = new Command("up", "Start a server on this machine and log in. Ctrl-C stops it.") { Port, Data, Name };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var program = HostFiles.Find()
            ?? throw new CliException(ExitCodes.Failed, $"The server's program is not here. Set {HostFiles.PathVariable} to OpenWop.Micro.Standalone.dll.");
        var data = Directory.CreateDirectory(result.GetValue(Data)!).FullName;
        var log = Path.Combine(data, "openwop.log");
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await using var host = await HostProcess.StartAsync(
            program,
            new Uri($"http://127.0.0.1:{result.GetValue(Port)}"),
            data,
            log,
            new Dictionary<string, string> { ["OPENWOP_BOOTSTRAP_TOKEN"] = token, ["OPENWOP_LOG_LEVEL"] = "Information" },
            cancellationToken);

        await WaitUntilReadyAsync(host, cancellationToken);
        var credential = await LogInAsync(host.Address, token, result.GetValue(Name) ?? Environment.UserName, cancellationToken);
        if (result.GetValue(Globals.Json))
            Terminal.JsonLine(new { server = host.Address, organization = credential.Organization, data, log, process = host.Id });
        else
        {
            Terminal.Facts(("server", host.Address.AbsoluteUri.TrimEnd('/')), ("organization", credential.Organization), ("data", data), ("log", log), ("process", host.Id.ToString(CultureInfo.InvariantCulture)));
            Terminal.Note("Ready. In another terminal: openwop whoami. Ctrl-C stops the server.");
        }

        try
        {
            await host.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Terminal.Note("Stopping.");
            return ExitCodes.Ok;
        }

        throw host.Ended();
    }

    /// <summary>A key of an earlier start is good; else the token of this start makes one.</summary>
    private static async Task<ServerCredential> LogInAsync(Uri server, string token, string name, CancellationToken cancellationToken)
    {
        if (Globals.KeyFor(server) is { } known)
        {
            try
            {
                using var client = Globals.Connect(server, known);
                return await LoginCommands.RememberAsync(server, known, client, cancellationToken);
            }
            catch (OpenWopException refused) when (refused.Status == System.Net.HttpStatusCode.Unauthorized)
            {
                // The data is new, the credentials are from before.
            }
        }

        using var stranger = Globals.Connect(server, key: null);
        var admission = await stranger.Organization.BootstrapAsync(token, name, cancellationToken: cancellationToken);
        using var owner = Globals.Connect(server, admission.Key);
        return await LoginCommands.RememberAsync(server, admission.Key, owner, cancellationToken);
    }

    private static async Task WaitUntilReadyAsync(HostProcess host, CancellationToken cancellationToken)
    {
        using var client = Globals.Connect(host.Address, key: null);
        while (!await client.Server.IsReadyAsync(cancellationToken))
        {
            if (host.HasExited)
                throw host.Ended();

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }
}
