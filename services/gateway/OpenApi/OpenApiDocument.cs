using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.OpenApi;

/// <summary>
/// The OpenAPI 3.1 description of every route that is served: the <see cref="Operations"/> table joined with the schemas in
/// <c>components.json</c>. Written once and served as bytes.
/// </summary>
internal sealed class OpenApiDocument
{
    private const string ComponentsResource = "openapi.components.json";

    /// <summary>Errors that any call may end with, besides those in the table.</summary>
    private static readonly ErrorCode[] CommonErrors = [ErrorCodes.InternalError, ErrorCodes.ServiceUnavailable, ErrorCodes.DeadlineExceededError];
    private static readonly ErrorCode[] CredentialErrors = [ErrorCodes.Unauthenticated, ErrorCodes.KeyExpired, ErrorCodes.KeyRevoked, ErrorCodes.Forbidden, ErrorCodes.RateLimited];
    private static readonly ErrorCode[] BodyErrors = [ErrorCodes.ValidationError, ErrorCodes.PayloadTooLarge, ErrorCodes.UnsupportedMediaType];
    private static readonly ErrorCode[] MutationErrors = [ErrorCodes.ValidationError, ErrorCodes.IdempotencyInFlight, ErrorCodes.IdempotencyKeyMismatch];

    private OpenApiDocument(ReadOnlyMemory<byte> json)
    {
        Json = json;
        ETag = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(json.Span).AsSpan(0, 16));
    }

    /// <summary>UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Without quotes.</summary>
    public string ETag { get; }

    public static OpenApiDocument Create(IReadOnlyList<Operation> operations)
    {
        var output = new ArrayBufferWriter<byte>(32 * 1024);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("openapi", "3.1.0");
            WriteInfo(json);
            json.WriteStartObject("paths");
            foreach (var path in operations.GroupBy(operation => operation.Route))
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

        return new(output.WrittenMemory);
    }

    private static void WriteInfo(Utf8JsonWriter json)
    {
        json.WriteStartObject("info");
        json.WriteString("title", "OpenWop.Micro");
        json.WriteString("version", typeof(OpenApiDocument).Assembly.GetName().Version!.ToString(3));
        json.WriteString("description", "The OpenWOP protocol, version 1. The same operations are served over gRPC as openwop.v1.Engine.");
        json.WriteEndObject();
    }

    private static void WriteOperation(Utf8JsonWriter json, Operation operation)
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
    }

    private static void WriteParameters(Utf8JsonWriter json, Operation operation)
    {
        var inRoute = operation.Route.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => char.ToUpperInvariant(segment[1]) + segment[2..segment.IndexOf('}')]);
        json.WriteStartArray("parameters");
        foreach (var name in inRoute.Concat(operation.Parameters))
            WriteReference(json, "parameters", name);
        json.WriteEndArray();
    }

    private static void WriteSuccess(Utf8JsonWriter json, Success success)
    {
        json.WriteStartObject(success.Status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("description", success.Description);
        if (success.Schema is { } schema)
            WriteContent(json, schema, success.IsEventStream);
        json.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter json, int status, IEnumerable<ErrorCode> codes)
    {
        json.WriteStartObject(status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string[] names = [.. codes.Select(code => code.Name).Distinct()];
        json.WriteString("description", string.Join(", ", names));
        json.WriteStartObject("content");
        json.WriteStartObject("application/json");
        json.WriteStartObject("schema");
        WriteReferenceMember(json, "schemas", "ErrorEnvelope");
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

    private static void WriteContent(Utf8JsonWriter json, string schema, bool isEventStream)
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

    private static void WriteReference(Utf8JsonWriter json, string kind, string name)
    {
        json.WriteStartObject();
        WriteReferenceMember(json, kind, name);
        json.WriteEndObject();
    }

    private static void WriteReferenceMember(Utf8JsonWriter json, string kind, string name) => json.WriteString("$ref", $"#/components/{kind}/{name}");

    private static void WriteComponents(Utf8JsonWriter json)
    {
        using var resource = typeof(OpenApiDocument).Assembly.GetManifestResourceStream(ComponentsResource)!;
        using var components = JsonDocument.Parse(resource);
        json.WritePropertyName("components");
        components.RootElement.WriteTo(json);
    }

    private static IEnumerable<ErrorCode> ErrorsOf(Operation operation) => operation.Errors
        .Concat(CommonErrors)
        .Concat(operation.IsPublic ? [] : CredentialErrors)
        .Concat(operation.Body is null ? [] : BodyErrors)
        .Concat(operation.TakesIdempotencyKey ? MutationErrors : [])
        .Concat(operation.Route.Contains("{runId}", StringComparison.Ordinal) ? [ErrorCodes.RunExpired] : []);
}
