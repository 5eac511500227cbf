using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop workflows export</c> and <c>import</c>: workflows as files without secrets.</summary>
internal static class WorkflowFiles
{
    public static Command Export()
    {
        var id = new Argument<string>("workflow") { Description = "Id of the workflow" };
        var version = new Option<int?>("--version-number", "-n") { Description = "A version instead of the newest" };
        var file = new Option<string?>("--output", "-o") { Description = "A file to write (default: standard output)" };
        var command = new Command("export", "A workflow as a file without secrets.") { id, version, file };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var exported = await client.Workflows.ExportAsync(result.GetValue(id)!, result.GetValue(version), cancellationToken);
            if (result.GetValue(file) is { } path)
                await File.WriteAllTextAsync(path, Terminal.Indent(exported) + "\n", cancellationToken);
            else
                Terminal.Json(exported);

            if (exported.TryGetProperty("omitted", out var omitted) && omitted.ValueKind == JsonValueKind.Array)
            {
                foreach (var place in omitted.EnumerateArray())
                    Terminal.Note($"Left out: {Terminal.Short(place)}");
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command Import()
    {
        var file = new Option<string>("--file", "-f") { Description = "An exported file; - is standard input", Required = true };
        var id = new Option<string?>("--id") { Description = "Id that the workflow shall have (default: the server makes one)" };
        var version = new Option<int?>("--if-version") { Description = "Makes it the next version of the workflow, if this is the newest" };
        var command = new Command("import", "Make a workflow of an exported file.") { file, id, version };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var utf8 = await JsonArgument.ReadFileAsync(result.GetValue(file)!, cancellationToken);
            JsonArgument.Parse(utf8, "The file");
            var imported = await client.Workflows.ImportAsync(utf8, result.GetValue(id), result.GetValue(version), cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(imported);
            else
            {
                Terminal.Facts(("workflow", imported.Id), ("version", imported.Version.ToString(CultureInfo.InvariantCulture)), ("runnable", imported.Ok ? "yes" : "no"));
                foreach (var error in imported.ValidationErrors)
                    Console.Out.WriteLine(Terminal.Visible(Terminal.Short(error, 400)));
            }

            return imported.Ok ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }
}
