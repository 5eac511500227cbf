using System.Text.Json;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>An answer of the host.</summary>
/// <param name="Text">The body; empty = none.</param>
internal sealed record Reply(int Status, IReadOnlyDictionary<string, string> Headers, string Text)
{
    /// <summary>Deeper than any host has to take.</summary>
    internal static readonly JsonDocumentOptions Deep = new() { MaxDepth = 256 };

    public bool IsJson { get; private init; }

    /// <summary>The body as JSON; undefined when it is none.</summary>
    public JsonElement Json { get; private init; }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>Code of the error envelope.</summary>
    public string? Error => IsJson && Json.TryGetProperty("error", out var code) ? code.GetString() : null;

    public JsonElement Details => Json.GetProperty("details");

    public static async Task<Reply> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var reply = new Reply((int)response.StatusCode, headers, await response.Content.ReadAsStringAsync(cancellationToken));
        return response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json" ? reply.Parsed() : reply;
    }

    /// <summary>The answer with its body read as JSON, if it has one.</summary>
    public Reply Parsed()
    {
        try
        {
            return Text.Length == 0 ? this : this with { IsJson = true, Json = JsonElement.Parse(Text, Deep) };
        }
        catch (JsonException)
        {
            throw new ConformanceException($"An answer claims to be JSON and is not: {Text}");
        }
    }

    /// <summary>Demands a status, and a code when it is an error.</summary>
    public Reply Expecting(int status, string? error = null)
    {
        Expect.That(Status == status, $"expected {status}, got {Status}: {Text}");
        if (error is not null)
            Expect.Equal(error, Error, "error code");
        return this;
    }

    /// <summary>Demands one of several statuses.</summary>
    public Reply Expecting(params ReadOnlySpan<int> statuses)
    {
        Expect.That(statuses.Contains(Status), $"expected one of {string.Join(", ", statuses.ToArray())}, got {Status}: {Text}");
        return this;
    }
}
