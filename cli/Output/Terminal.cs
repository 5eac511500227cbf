using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace OpenWop.Micro.Cli.Output;

/// <summary>What the tool says: results on standard output, everything else on standard error.</summary>
internal static class Terminal
{
    /// <summary>A pipe has no width; nothing is cut off there.</summary>
    private const int PipeWidth = 400;

    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new UtcTime() },
    };

    private static readonly JsonSerializerOptions OneLine = new(Indented) { WriteIndented = false };

    public static IAnsiConsole Out { get; } = Create(Console.Out, Console.IsOutputRedirected);

    public static IAnsiConsole Error { get; } = Create(Console.Error, Console.IsErrorRedirected);

    /// <summary>One document.</summary>
    public static void Json<T>(T document) => Console.Out.WriteLine(Indent(document));

    /// <summary>A document as it is shown.</summary>
    public static string Indent<T>(T document) => JsonSerializer.Serialize(document, Indented);

    /// <summary>One document of several, on a line of its own.</summary>
    public static void JsonLine<T>(T document) => Console.Out.WriteLine(JsonSerializer.Serialize(document, OneLine));

    /// <summary>Rows below headings.</summary>
    public static void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string?>> rows)
    {
        var cells = rows.Select(row => row.Select(cell => Visible(cell ?? "")).ToArray()).ToList();
        if (cells.Count == 0)
        {
            Note("Nothing there.");
            return;
        }

        var widths = headings.Select((heading, column) => Math.Max(heading.Length, cells.Max(row => row[column].Length))).ToArray();
        Out.MarkupLine("[dim]" + Markup.Escape(Aligned([.. headings.Select(heading => heading.ToUpperInvariant())], widths)) + "[/]");
        foreach (var row in cells)
            Out.WriteLine(Aligned(row, widths));
    }

    /// <summary>Names and values below each other.</summary>
    public static void Facts(params IReadOnlyList<(string Name, string? Value)> facts)
    {
        var told = facts.Where(fact => fact.Value is not null).ToList();
        var width = told.Max(fact => fact.Name.Length);
        foreach (var (name, value) in told)
            Out.MarkupLine($"[dim]{Markup.Escape(name.PadRight(width))}[/]   {Markup.Escape(Visible(value!))}");
    }

    /// <summary>A remark that is not part of the result.</summary>
    public static void Note(string text) => Error.MarkupLine("[dim]" + Markup.Escape(Visible(text)) + "[/]");

    public static async Task ErrorAsync(bool isJson, string code, string message, JsonElement body)
    {
        if (isJson)
        {
            var error = body.ValueKind == JsonValueKind.Object
                ? JsonNode.Parse(body.GetRawText())!
                : new JsonObject { ["error"] = code.Length > 0 ? code : "failed", ["message"] = message };
            await Console.Error.WriteLineAsync(error.ToJsonString(OneLine));
            return;
        }

        Error.MarkupLine($"[red]error[/] {Markup.Escape(Visible(message))}");
        foreach (var issue in Issues(body))
            Error.MarkupLine($"      {Markup.Escape(Visible(issue))}");
    }

    public static string? Time(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Text from elsewhere must not steer the terminal.</summary>
    public static string Visible(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character)) : text;

    public static string Short(JsonElement value, int length = 100)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.ValueKind == JsonValueKind.Undefined ? "" : JsonSerializer.Serialize(value, OneLine);
        return text.Length <= length ? text : text[..length] + "…";
    }

    private static string Aligned(IReadOnlyList<string> row, int[] widths) =>
        string.Join("   ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();

    private static IEnumerable<string> Issues(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("issues", out var issues) || issues.ValueKind != JsonValueKind.Array)
            yield break;

        foreach (var issue in issues.EnumerateArray())
        {
            if (issue.ValueKind == JsonValueKind.Object && issue.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String)
                yield return message.GetString()!;
        }
    }

    /// <summary>As the server writes times.</summary>
    private sealed class UtcTime : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }

    private static IAnsiConsole Create(TextWriter writer, bool isRedirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isRedirected || Console.IsInputRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isRedirected)
            console.Profile.Width = PipeWidth;

        return console;
    }
}
