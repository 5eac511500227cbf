using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Protocol.Json;

/// <summary>Why a text is not accepted as JSON.</summary>
/// <param name="Path">JSON pointer to the place, as far as it is known.</param>
/// <param name="Code"><c>too_large</c>, <c>malformed_json</c>, <c>too_deep</c>, <c>duplicate_member</c> or <c>invalid_text</c>.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record JsonProblem(string Path, string Code, string Message);

/// <summary>What a JSON text may be.</summary>
/// <param name="MaxBytes">Size in bytes of UTF-8.</param>
/// <param name="MaxDepth">Objects and arrays inside one another.</param>
public sealed record JsonLimits(int MaxBytes, int MaxDepth);

/// <summary>
/// Parses JSON that has exactly one reading: valid UTF-8, no member twice in one object, no half surrogate pairs, nothing after
/// the value. Two parsers that disagree about a document are how checks get circumvented.
/// </summary>
public static class StrictJson
{
    /// <summary>Parses a text into a value that stays alive on its own, or says what is wrong.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, JsonLimits limits, out JsonElement value, [NotNullWhen(false)] out JsonProblem? problem)
    {
        problem = Check(utf8, limits);
        value = problem is null ? JsonElement.Parse(utf8, new JsonDocumentOptions { MaxDepth = limits.MaxDepth }) : default;
        return problem is null;
    }

    /// <summary>The problem as the protocol's error: <c>payload_too_large</c> for size, <c>validation_error</c> for the rest.</summary>
    public static ProtocolError ToProtocolError(this JsonProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return problem.Code == "too_large"
            ? new ProtocolError(ErrorCodes.PayloadTooLarge, problem.Message)
            : ProtocolError.Validation(problem.Message, problem.Path.Length > 0 ? problem.Path : null);
    }

    /// <summary>The first problem of a text; null when there is none.</summary>
    public static JsonProblem? Check(ReadOnlySpan<byte> utf8, JsonLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        if (utf8.Length > limits.MaxBytes)
            return new JsonProblem("", "too_large", $"A document may have at most {limits.MaxBytes} bytes.");

        if (!Utf8.IsValid(utf8))
            return new JsonProblem("", "malformed_json", "The document is not UTF-8.");

        var walk = new Walk(limits.MaxDepth);
        try
        {
            // One level more than allowed, so that the walk meets what is too deep and can name it.
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
            while (reader.Read())
            {
                if (walk.Visit(ref reader) is { } problem)
                    return problem;
            }

            return null;
        }
        catch (JsonException malformed)
        {
            return new JsonProblem(walk.Place, "malformed_json", $"The document is not valid JSON (line {malformed.LineNumber + 1}).");
        }
    }

    /// <summary>Where the reader is: one level per open object or array.</summary>
    private sealed class Walk(int maxDepth)
    {
        private readonly List<Level> _levels = [];
        private int _depth;

        /// <summary>Pointer to the value that is being read.</summary>
        public string Place
        {
            get
            {
                var path = new JsonPath();
                foreach (var level in _levels.Take(_depth))
                {
                    if (level.Name is { } name)
                        path.Push(name);
                    else if (level.IsArray)
                        path.Push(Math.Max(level.Index, 0));
                }

                return path.ToString();
            }
        }

        public JsonProblem? Visit(ref Utf8JsonReader reader)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    Advance();
                    if (_depth == maxDepth)
                        return new JsonProblem(Place, "too_deep", $"A document may be nested at most {maxDepth} levels deep.");

                    Open(reader.TokenType == JsonTokenType.StartArray);
                    return null;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    _depth--;
                    return null;
                case JsonTokenType.PropertyName:
                    return Text(ref reader) is not { } name
                        ? new JsonProblem(Place, "invalid_text", "The name of a member is not valid Unicode.")
                        : _levels[_depth - 1].Enter(name)
                            ? null
                            : new JsonProblem(Place, "duplicate_member", $"Member '{name}' appears twice.");
                case JsonTokenType.String:
                    Advance();
                    return !reader.ValueIsEscaped || Text(ref reader) is not null
                        ? null
                        : new JsonProblem(Place, "invalid_text", "A string is not valid Unicode.");
                default:
                    Advance();
                    return null;
            }
        }

        private static string? Text(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.GetString();
            }
            catch (InvalidOperationException)
            {
                return null; // Half a surrogate pair.
            }
        }

        private void Advance()
        {
            if (_depth > 0)
                _levels[_depth - 1].Index++;
        }

        private void Open(bool isArray)
        {
            if (_depth == _levels.Count)
                _levels.Add(new Level());

            _levels[_depth++].Reset(isArray);
        }
    }

    /// <summary>An open object or array. Reused, as documents have thousands of small objects.</summary>
    private sealed class Level
    {
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);

        public bool IsArray { get; private set; }

        public string? Name { get; private set; }

        public int Index { get; set; }

        public void Reset(bool isArray)
        {
            _names.Clear();
            IsArray = isArray;
            Name = null;
            Index = -1;
        }

        public bool Enter(string name)
        {
            Name = name;
            return _names.Add(name);
        }
    }
}
