using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Commands;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client;

namespace OpenWop.Micro.Cli;

/// <summary>The whole command line, and how it ends.</summary>
internal static class CommandLine
{
    /// <summary>Long enough for <c>up</c> to let the server drain.</summary>
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Create().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync(error.Message);

            await Console.Error.WriteLineAsync("Try 'openwop --help'.");
            return ExitCodes.Usage;
        }

        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeToEnd };
        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (Exception exception) when (Explain(exception) is { } end)
        {
            await Terminal.ErrorAsync(parsed.GetValue(Globals.Json), end.Code, end.Message, end.Body);
            return end.ExitCode;
        }
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("Runs workflows on an OpenWOP server. Without a server yet: openwop up.")
        {
            UpCommand.Create(),
            LoginCommands.Login(),
            LoginCommands.Logout(),
            LoginCommands.WhoAmI(),
            WorkflowCommands.Create(),
            RunCommand.Create(),
            RunsCommands.Create(),
            ConnectorsCommand.Create(),
            ScheduleCommands.Create(),
            TriggerCommands.Create(),
            WebhookCommands.Create(),
            KeyCommands.Create(),
            MemberCommands.Create(),
            SecretCommands.Create(),
            AuditCommand.Create(),
            DoctorCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Options.Add(Globals.Server);
        root.Options.Add(Globals.Json);
        return root;
    }

    /// <summary>What is foreseen is told in a sentence. Anything else is a mistake of ours and ends with a stack trace.</summary>
    private static End? Explain(Exception exception) => exception switch
    {
        CliException own => new(own.ExitCode, "", own.Message),
        OpenWopException refused => new(ExitCodes.Of(refused.Status), refused.Code, Sentence(refused), refused.Body),
        HttpRequestException unreachable => new(ExitCodes.Unavailable, "unreachable", $"The server cannot be reached: {unreachable.Message}"),
        TimeoutException late => new(ExitCodes.Unavailable, "timeout", late.Message),
        OperationCanceledException => new(ExitCodes.Interrupted, "interrupted", "Interrupted."),
        JsonException json => new(ExitCodes.Failed, "invalid_json", $"This is not the JSON that was expected: {json.Message}"),
        IOException or UnauthorizedAccessException => new(ExitCodes.Failed, "io", exception.Message),
        _ => null,
    };

    private static string Sentence(OpenWopException refused) => refused.Code.Length == 0 ? refused.Message : $"{refused.Message} ({refused.Code})";

    private sealed record End(int ExitCode, string Code, string Message, JsonElement Body = default);
}
