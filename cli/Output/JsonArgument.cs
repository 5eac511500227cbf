using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Cli.Output;

/// <summary>JSON from the command line, from a file or from standard input.</summary>
internal static class JsonArgument
{
    /// <summary>The content of a file; <c>-</c> is standard input.</summary>
    public static async Task<byte[]> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        if (path != "-")
        {
            return File.Exists(path)
                ? await File.ReadAllBytesAsync(path, cancellationToken)
                : throw new CliException(ExitCodes.Usage, $"There is no file '{path}'.");
        }

        using var content = new MemoryStream();
        await using var input = Console.OpenStandardInput();
        await input.CopyToAsync(content, cancellationToken);
        return content.ToArray();
    }

    public static JsonElement Parse(byte[] utf8, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new CliException(ExitCodes.Usage, $"{what} is not JSON: {exception.Message}");
        }
    }

    /// <summary>A value: JSON where it is some, else the text itself.</summary>
    public static JsonElement ValueOf(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text);
        }
    }

    /// <summary>An input object from <c>name=value</c> pairs, from a whole object, or from <c>@file</c>.</summary>
    public static async Task<JsonElement?> InputAsync(IReadOnlyList<string> parts, CancellationToken cancellationToken)
    {
        if (parts.Count == 0)
            return null;

        var input = new JsonObject();
        foreach (var part in parts)
        {
            if (part.StartsWith('{') || part.StartsWith('@'))
            {
                var utf8 = part[0] == '@' ? await ReadFileAsync(part[1..], cancellationToken) : System.Text.Encoding.UTF8.GetBytes(part);
                var whole = Parse(utf8, "The input");
                if (whole.ValueKind != JsonValueKind.Object)
                    throw new CliException(ExitCodes.Usage, "The input must be a JSON object.");

                foreach (var member in whole.EnumerateObject())
                    input[member.Name] = JsonNode.Parse(member.Value.GetRawText());
                continue;
            }

            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new CliException(ExitCodes.Usage, $"'{part}' is no input: write name=value, a JSON object, or @file.");

            input[part[..equals]] = JsonNode.Parse(ValueOf(part[(equals + 1)..]).GetRawText());
        }

        return JsonSerializer.SerializeToElement(input);
    }
}
