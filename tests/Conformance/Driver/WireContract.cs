using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>
/// Everything that crosses the wire is held against the published schemas, whatever a scenario is about: a conforming host has no
/// careless corners.
/// </summary>
internal static class WireContract
{
    private static readonly string[] RequiredEventMembers = ["eventId", "runId", "type", "payload", "timestamp", "sequence"];

    /// <summary>Checks an answer by what was asked.</summary>
    public static void Check(string method, string path, Reply reply)
    {
        if (path.StartsWith("/api/", StringComparison.Ordinal))
            return; // Not the protocol's: the document of the host says what fits.

        if (reply.Status >= 400)
        {
            Validate("error-envelope", reply.Json, $"{method} {path} ({reply.Status})");
            return;
        }

        var route = path.Split('?')[0].Split('/', StringSplitOptions.RemoveEmptyEntries);
        switch (method, reply.Status, route)
        {
            case ("GET", 200, [".well-known", "openwop"]):
                Validate("capabilities", reply.Json, "the discovery document");
                break;
            case ("GET", 200, ["v1", "workflows", _]):
                Validate("workflow-definition", reply.Json, "a workflow definition");
                break;
            case ("GET", 200, ["v1", "runs", var id]) when !id.Contains(':', StringComparison.Ordinal):
                Validate("run-snapshot", reply.Json, "a snapshot");
                break;
            case ("GET", 200, ["v1", "interrupts", _]):
                Validate("suspend-request", reply.Json, "an inspected interrupt");
                break;
            case ("GET", 200, ["v1", "runs", _, "events", ..]) when reply.IsJson:
                foreach (var document in reply.Json.GetProperty("events").EnumerateArray())
                    CheckEvent(document);
                break;
        }
    }

    /// <summary>Checks a stored event: its envelope, its time, and its payload by type.</summary>
    public static void CheckEvent(JsonElement document)
    {
        foreach (var member in RequiredEventMembers)
            Expect.That(document.TryGetProperty(member, out _), $"An event lacks '{member}': {document.GetRawText()}");

        Validate("run-event", document, "an event");
        var type = document.GetProperty("type").GetString()!;
        var errors = SchemaRegistry.PublishedPart("run-event-payloads", PartOf(type)).Validate(document.GetProperty("payload"));
        errors = [.. errors.Where(error => !IsWordThatTheSchemaLacks(type, error.Path, document.GetProperty("payload")))];
        Expect.That(errors.Count == 0, $"The payload of {type} is not valid: {Describe(errors)} in {document.GetRawText()}");
        Expect.That(
            DateTimeOffset.TryParse(document.GetProperty("timestamp").GetString(), CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) && time.Offset == TimeSpan.Zero,
            "The timestamp of an event is not RFC 3339 in UTC.");
    }

    /// <summary>The prose has two words that the published patterns omit (spec/runs-streams-replay.md 12, 15 and 16).</summary>
    private static bool IsWordThatTheSchemaLacks(string type, string path, JsonElement payload) => (type, path) switch
    {
        ("channel.written", "/reducer") => payload.GetProperty("reducer").ValueEquals("message"),
        ("cap.breached", "/kind") => payload.GetProperty("kind").ValueEquals("dispatch-iterations"),
        _ => false,
    };

    public static void CheckSnapshot(JsonElement document) => Validate("run-snapshot", document, "a snapshot");

    public static void Validate(string schema, JsonElement document, string what)
    {
        Expect.That(document.ValueKind != JsonValueKind.Undefined, $"{what} has no JSON body");
        var errors = SchemaRegistry.Published(schema).Validate(document);
        Expect.That(errors.Count == 0, $"{what} does not fit schema {schema}: {Describe(errors)} in {document.GetRawText()}");
    }

    /// <summary><c>run.started</c> is described as <c>runStarted</c>.</summary>
    private static string PartOf(string type) =>
        string.Concat(type.Split('.', '-', '_').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    private static string Describe(IReadOnlyList<SchemaError> errors) => string.Join("; ", errors.Select(error => $"{error.Path} {error.Message}"));
}
