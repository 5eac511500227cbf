using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.OpenApi;

/// <summary>Writes the description of a plane: rows of the table joined with those schemas and parameters that they refer to.</summary>
internal sealed class OpenApiWriter(ApiPlane plane)
{
    private const string References = "#/components/";

    /// <summary>Errors that any call may end with, besides those in the table.</summary>
    private static readonly ErrorCode[] CommonErrors = [ErrorCodes.InternalError, ErrorCodes.ServiceUnavailable, ErrorCodes.DeadlineExceededError];
    private static readonly ErrorCode[] CredentialErrors = [ErrorCodes.Unauthenticated, ErrorCodes.KeyExpired, ErrorCodes.KeyRevoked, ErrorCodes.Forbidden, ErrorCodes.RateLimited];
    private static readonly ErrorCode[] MutationErrors = [ErrorCodes.ValidationError, ErrorCodes.IdempotencyInFlight, ErrorCodes.IdempotencyKeyMismatch];

    private readonly HashSet<string> _referred = new(StringComparer.Ordinal);

    /// <summary>UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Write(IReadOnlyList<Operation> operations)
    {
        var output = new ArrayBufferWriter<byte>(64 * 1024);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("openapi", "3.1.0");
            WriteInfo(json);
            json.WriteStartObject("paths");
            foreach (var path in operations.GroupBy(operation => operation.Path))
            {
                json.WriteStartObject(path.Key);
                foreach (var operation in path)
                    WriteOperation(json, operation);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            WriteComponents(json);
            json.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    private void WriteInfo(Utf8JsonWriter json)
    {
        json.WriteStartObject("info");
        json.WriteString("title", "OpenWop.Micro");
        json.WriteString("version", typeof(OpenApiWriter).Assembly.GetName().Version!.ToString(3));
        json.WriteString("description", plane.Description);
        json.WriteEndObject();
        json.WriteStartObject("externalDocs");
        json.WriteString("url", plane.Other.Route);
        json.WriteString("description", plane.Other.Summary);
        json.WriteEndObject();
    }

    private void WriteOperation(Utf8JsonWriter json, Operation operation)
    {
#pragma warning disable CA1308 // OpenAPI spells methods in lower case.
        json.WriteStartObject(operation.Method.ToLowerInvariant());
#pragma warning restore CA1308
        json.WriteString("operationId", operation.Id);
        json.WriteString("summary", operation.Summary);
        WriteSecurity(json, operation);
        WriteParameters(json, operation);
        if (operation.Body is { } schema)
        {
            json.WriteStartObject("requestBody");
            json.WriteBoolean("required", operation.BodyRequired);
            WriteContent(json, schema, isEventStream: false);
            json.WriteEndObject();
        }

        json.WriteStartObject("responses");
        foreach (var success in operation.Successes)
            WriteSuccess(json, success);
        foreach (var status in ErrorsOf(operation).GroupBy(error => error.HttpStatus).OrderBy(status => status.Key))
            WriteError(json, status.Key, status);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json, Operation operation)
    {
        json.WriteStartArray("security");
        if (!operation.IsPublic)
        {
            json.WriteStartObject();
            json.WriteStartArray("apiKey");
            foreach (var scope in operation.Scopes)
                json.WriteStringValue(scope);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (operation.IsForEveryCaller)
            json.WriteBoolean("x-any-caller", true);
    }

    private void WriteParameters(Utf8JsonWriter json, Operation operation)
    {
        var inRoute = operation.Path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => char.ToUpperInvariant(segment[1]) + segment[2..segment.IndexOf('}')]);
        string[] implied = operation.TakesIdempotencyKey ? ["IdempotencyKey"] : [];
        json.WriteStartArray("parameters");
        foreach (var name in inRoute.Concat(implied).Concat(operation.Parameters).Distinct())
            WriteReference(json, "parameters", name);
        json.WriteEndArray();
    }

    private void WriteSuccess(Utf8JsonWriter json, Success success)
    {
        json.WriteStartObject(success.Status.ToString(CultureInfo.InvariantCulture));
        json.WriteString("description", success.Description);
        if (success.Schema is { } schema)
            WriteContent(json, schema, success.IsEventStream);
        json.WriteEndObject();
    }

    private void WriteError(Utf8JsonWriter json, int status, IEnumerable<ErrorCode> codes)
    {
        json.WriteStartObject(status.ToString(CultureInfo.InvariantCulture));
        string[] names = [.. codes.Select(plane.NameOf).Distinct()];
        json.WriteString("description", string.Join(", ", names));
        json.WriteStartObject("content");
        json.WriteStartObject("application/json");
        json.WriteStartObject("schema");
        WriteReferenceMember(json, "schemas", plane.ErrorSchema);
        json.WriteStartObject("properties");
        json.WriteStartObject("error");
        json.WriteStartArray("enum");
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteContent(Utf8JsonWriter json, string schema, bool isEventStream)
    {
        json.WriteStartObject("content");
        if (isEventStream)
        {
            json.WriteStartObject("text/event-stream");
            json.WriteStartObject("schema");
            json.WriteString("type", "string");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteStartObject("application/json");
        json.WritePropertyName("schema");
        WriteReference(json, "schemas", schema);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteReference(Utf8JsonWriter json, string kind, string name)
    {
        json.WriteStartObject();
        WriteReferenceMember(json, kind, name);
        json.WriteEndObject();
    }

    private void WriteReferenceMember(Utf8JsonWriter json, string kind, string name)
    {
        _referred.Add($"{kind}/{name}");
        json.WriteString("$ref", $"{References}{kind}/{name}");
    }

    private void WriteComponents(Utf8JsonWriter json)
    {
        using var resource = typeof(OpenApiWriter).Assembly.GetManifestResourceStream(plane.Components)!;
        var components = JsonNode.Parse(resource)!.AsObject();
        foreach (var name in _referred.ToArray())
            Follow(components, name);

        foreach (var kind in new[] { "parameters", "schemas" })
        {
            var all = components[kind]!.AsObject();
            foreach (var name in all.Select(component => component.Key).Where(name => !_referred.Contains($"{kind}/{name}")).ToArray())
                all.Remove(name);
        }

        json.WritePropertyName("components");
        components.WriteTo(json);
    }

    /// <summary>What is referred to refers to more.</summary>
    private void Follow(JsonObject components, string name)
    {
        var parts = name.Split('/');
        var component = components[parts[0]]![parts[1]] ?? throw new InvalidOperationException($"{plane.Components} lacks {name}.");
        foreach (var reference in ReferencesIn(component))
        {
            if (_referred.Add(reference[References.Length..]))
                Follow(components, reference[References.Length..]);
        }
    }

    private static IEnumerable<string> ReferencesIn(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Key == "$ref" ? [(string)member.Value!] : ReferencesIn(member.Value)),
        JsonArray items => items.SelectMany(ReferencesIn),
        _ => [],
    };

    private IEnumerable<ErrorCode> ErrorsOf(Operation operation) => operation.Errors
        .Concat(CommonErrors)
        .Concat(operation.IsPublic ? [] : CredentialErrors)
        .Concat(operation.Body is null ? [] : plane.BodyErrors)
        .Concat(operation.TakesIdempotencyKey ? MutationErrors : [])
        .Concat(operation.Route.Contains("{runId}", StringComparison.Ordinal) ? [ErrorCodes.RunExpired] : []);
}
