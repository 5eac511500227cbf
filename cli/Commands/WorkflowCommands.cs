using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop workflows …</c></summary>
internal static class WorkflowCommands
{
    private static readonly Argument<string> Id = new("workflow") { Description = "Id of the workflow" };
    private static readonly Option<string> FileOption = new("--file", "-f") { Description = "A JSON file; - is standard input", Required = true };
    private static readonly Option<int?> VersionOption = new("--version-number", "-n") { Description = "A version instead of the newest" };
    private static readonly Option<int?> IfVersion = new("--if-version") { Description = "Only if this is the newest version (default: whatever it is now)" };

    public static Command Create() => new("workflows", "Workflows and their versions.")
    {
        List(), Get(), New(), Apply(), Patch(), Versions(), Rollback(), WorkflowFiles.Export(), WorkflowFiles.Import(), Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "All workflows.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var workflows = await client.Workflows.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(workflows);
            else
                Terminal.Table(["id", "name", "version"], workflows.Select(workflow => new[] { workflow.Id, workflow.Name, Number(workflow.Version) }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get()
    {
        var command = new Command("get", "A workflow as JSON.") { Id, VersionOption };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            Terminal.Json(result.GetValue(VersionOption) is { } version
                ? await client.Workflows.GetVersionAsync(id, version, cancellationToken)
                : await GetNewestAsync(client, id, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command New()
    {
        var name = new Option<string?>("--name") { Description = "For people" };
        var command = new Command("new", "Make an empty workflow, to be filled with patch.") { name };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var made = await client.Workflows.CreateAsync(result.GetValue(name), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(made);
            else
                Console.Out.WriteLine(made.Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Apply()
    {
        var id = new Option<string?>("--id") { Description = "Id of the workflow (default: the one in the file)" };
        var command = new Command("apply", "Store a definition with nodes and edges as the newest version.") { FileOption, id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var utf8 = await JsonArgument.ReadFileAsync(result.GetValue(FileOption)!, cancellationToken);
            var definition = JsonArgument.Parse(utf8, "The definition");
            var workflowId = result.GetValue(id)
                ?? (definition.ValueKind == JsonValueKind.Object && definition.TryGetProperty("id", out var own) && own.ValueKind == JsonValueKind.String ? own.GetString() : null)
                ?? throw new CliException(ExitCodes.Usage, "The definition has no id; give one with --id.");
            var stored = await client.Workflows.PutDefinitionAsync(workflowId, utf8, cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(stored);
            else
                Terminal.Facts(("workflow", stored.WorkflowId), ("version", Number(stored.Version)));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Patch()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what would become of them" };
        var command = new Command("patch", "Apply edit operations: a JSON array, or {\"ops\": […]}. What does not fit is left out and explained.") { Id, FileOption, IfVersion, dryRun };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            var operations = JsonArgument.Parse(await JsonArgument.ReadFileAsync(result.GetValue(FileOption)!, cancellationToken), "The file");
            if (operations.ValueKind == JsonValueKind.Object && operations.TryGetProperty("ops", out var inner))
                operations = inner;

            var version = result.GetValue(IfVersion) ?? (await client.Workflows.GetAsync(id, cancellationToken)).Version;
            var patched = await client.Workflows.PatchAsync(id, version, operations, result.GetValue(dryRun), cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(patched);
            else
            {
                Terminal.Facts(("workflow", id), ("version", Number(patched.Version)), ("runnable", patched.Ok ? "yes" : "no"));
                foreach (var line in patched.Summary.Split('\n'))
                    Console.Out.WriteLine(Terminal.Visible(line));
            }

            return patched.Ok ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static Command Versions()
    {
        var command = new Command("versions", "The versions of a workflow.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var versions = await client.Workflows.VersionsAsync(result.GetValue(Id)!, cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(versions);
            else
                Terminal.Table(["version", "created"], versions.Select(version => new[] { Number(version.Version), Terminal.Time(version.CreatedAt) }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Rollback()
    {
        var to = new Argument<int>("version") { Description = "The version whose content becomes the newest" };
        var command = new Command("rollback", "Make the content of an old version the newest one.") { Id, to, IfVersion };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            var current = result.GetValue(IfVersion) ?? (await client.Workflows.GetAsync(id, cancellationToken)).Version;
            var rolledBack = await client.Workflows.RollbackAsync(id, current, result.GetValue(to), cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(rolledBack);
            else
                Terminal.Facts(("workflow", id), ("version", rolledBack.GetProperty("version").ToString()));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a workflow. Runs that have started go on.") { Id, IfVersion };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var id = result.GetValue(Id)!;
            await client.Workflows.DeleteAsync(id, result.GetValue(IfVersion) ?? (await client.Workflows.GetAsync(id, cancellationToken)).Version, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A workflow of the authoring plane, or a definition that was stored as a whole.</summary>
    private static async Task<JsonElement> GetNewestAsync(OpenWopClient client, string id, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.SerializeToElement(await client.Workflows.GetAsync(id, cancellationToken), JsonSerializerOptions.Web);
        }
        catch (OpenWopException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            return await client.Workflows.GetDefinitionAsync(id, cancellationToken);
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
