using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>
/// What the host says of its routes in <c>/v1/openapi.json</c>, and in the document that it links to: every call of the suite is held against it. A status, a media type, an
/// error code or a body that the document does not know is a failure of the host, whatever a scenario is about.
/// </summary>
internal sealed class ServedContract
{
    private readonly DocumentedOperation[] _operations;
    private readonly ConcurrentDictionary<string, bool> _succeeded = new(StringComparer.Ordinal);

    private ServedContract(IReadOnlyList<string> documents, DocumentedOperation[] operations) => (Documents, _operations) = (documents, operations);

    /// <summary>A host that publishes no document: nothing to hold it to.</summary>
    public static ServedContract None { get; } = new([], []);

    /// <summary>Routes of the documents.</summary>
    public IReadOnlyList<string> Documents { get; }

    /// <summary>Operations of the document that the suite has not yet seen succeed.</summary>
    public IEnumerable<string> Uncalled => _operations.Select(operation => operation.Id).Where(id => !_succeeded.ContainsKey(id));

    public bool Describes(string operationId) => _operations.Any(operation => operation.Id == operationId);

    /// <summary>The first example of an operation's request body.</summary>
    public JsonElement Example(string operationId) => _operations.Single(operation => operation.Id == operationId).Examples().First();

    /// <summary>Request bodies without an example, and examples that do not fit.</summary>
    public IEnumerable<(string Operation, string Problem)> ExampleProblems() =>
        from operation in _operations
        let problem = operation.ExampleProblem()
        where problem is not null
        select (operation.Id, problem);

    /// <summary>Operations that take a credential and do not say which scopes it needs.</summary>
    public IEnumerable<string> WithoutScopes() => _operations.Where(operation => operation.LacksScopes).Select(operation => operation.Id);

    /// <summary>Reads the document, and the one that it links to.</summary>
    /// <param name="get">Fetches a document.</param>
    public static async Task<ServedContract> ReadAsync(string route, Func<string, Task<JsonElement>> get)
    {
        var document = await get(route);
        if (!document.TryGetProperty("externalDocs", out var link) || link.GetProperty("url").GetString() is not { } other || !other.EndsWith("/openapi.json", StringComparison.Ordinal) || other[0] != '/')
            return new([route], [.. OperationsOf(document)]);

        return new([route, other], [.. OperationsOf(document), .. OperationsOf(await get(other))]);
    }

    private static IEnumerable<DocumentedOperation> OperationsOf(JsonElement document)
    {
        var schemas = InSchema(document.GetProperty("components").GetProperty("schemas").GetRawText());
        return
            from path in document.GetProperty("paths").EnumerateObject()
            from method in path.Value.EnumerateObject()
            orderby path.Name.Count(static c => c == '{'), path.Name.Length descending
            select new DocumentedOperation(method.Name.ToUpperInvariant(), path.Name, method.Value, schemas);
    }

    /// <summary>Checks one exchange. Calls of routes that are not described are none of its business: what they answer is a scenario's. Seams for tests are not part of the service.</summary>
    /// <param name="requestBody">Null = none.</param>
    public void Check(string method, string path, string? requestBody, Reply reply)
    {
        if (_operations.Length == 0)
            return;

        if (Find(method, path) is not { } operation)
        {
            Expect.That(reply.Status >= 400 || path.StartsWith("/v1/host/sample/", StringComparison.Ordinal), $"{method} {path} succeeds ({reply.Status}) and is not in the OpenAPI document.");
            return;
        }

        if (reply.Status < 400)
        {
            operation.CheckRequest(requestBody);
            _succeeded[operation.Id] = true;
        }

        operation.CheckReply(reply);
    }

    /// <summary>A stream of server-sent events has begun.</summary>
    public void CheckStream(string path)
    {
        if (Find("GET", path) is not { } operation)
            return;

        Expect.That(operation.StreamsEvents, $"{operation.Id} streams, and the OpenAPI document does not say so.");
        _succeeded[operation.Id] = true;
    }

    /// <summary>Text of the document as a JSON Schema of its own reads it.</summary>
    public static string InSchema(string json) => json.Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);

    private DocumentedOperation? Find(string method, string path)
    {
        var route = path.Split('?')[0].Replace("%3A", ":", StringComparison.OrdinalIgnoreCase);
        return Array.Find(_operations, operation => operation.Method == method && operation.Matches(route));
    }
}

/// <summary>One operation of the document.</summary>
internal sealed partial class DocumentedOperation
{
    private const string Json = "application/json";

    private readonly Regex _route;
    private readonly JsonElement _operation;
    private readonly string _schemas;

    public DocumentedOperation(string method, string path, JsonElement operation, string schemas)
    {
        Method = method;
        Id = operation.GetProperty("operationId").GetString()!;
        _route = new Regex($"^{RouteParameter().Replace(Regex.Escape(path), "[^/]+")}$", RegexOptions.CultureInvariant);
        _operation = operation;
        _schemas = schemas;
    }

    public string Id { get; }

    public string Method { get; }

    public bool StreamsEvents => Response(200) is { } response && Content(response, "text/event-stream") is not null;

    public bool LacksScopes => !(_operation.TryGetProperty("x-any-caller", out var isForAll) && isForAll.GetBoolean()) && _operation.GetProperty("security").EnumerateArray().SelectMany(static alternative => alternative.EnumerateObject()).Any(static scheme => scheme.Value.GetArrayLength() == 0);

    public IEnumerable<JsonElement> Examples()
    {
        if (!_operation.TryGetProperty("requestBody", out var described) || Content(described, Json) is not { } media)
            return [];

        var schema = media.GetProperty("schema");
        if (schema.TryGetProperty("$ref", out var reference))
            schema = JsonElement.Parse(_schemas).GetProperty(reference.GetString()!.Split('/')[^1]);
        return schema.TryGetProperty("examples", out var examples) ? examples.EnumerateArray() : [];
    }

    public string? ExampleProblem()
    {
        if (!_operation.TryGetProperty("requestBody", out var described))
            return null;

        try
        {
            var any = false;
            foreach (var example in Examples())
            {
                any = true;
                CheckBody(described, example, "the example");
            }

            return any ? null : "its request body has no example";
        }
        catch (ConformanceException mismatch)
        {
            return mismatch.Message;
        }
    }

    public bool Matches(string route) => _route.IsMatch(route);

    public void CheckRequest(string? body)
    {
        if (!_operation.TryGetProperty("requestBody", out var described))
        {
            Expect.That(string.IsNullOrEmpty(body), $"{Id} takes a body, and the OpenAPI document does not say so.");
            return;
        }

        if (body is null)
            Expect.That(!described.GetProperty("required").GetBoolean(), $"{Id} succeeds without the body that the OpenAPI document requires.");
        else
            CheckBody(described, JsonElement.Parse(body, Reply.Deep), $"The request of {Id}");
    }

    public void CheckReply(Reply reply)
    {
        if (Response(reply.Status) is not { } response)
            throw new ConformanceException($"{Id} answers {reply.Status}, which the OpenAPI document does not know: {reply.Text}");

        if (reply.IsJson)
            CheckBody(response, reply.Json, $"The answer {reply.Status} of {Id}");
        else
            Expect.That(reply.Text.Length == 0 || !response.TryGetProperty("content", out _) || Content(response, reply.Header("Content-Type")?.Split(';')[0] ?? "") is not null,
                $"{Id} answers {reply.Status} with {reply.Header("Content-Type")}, which the OpenAPI document does not know.");
    }

    private void CheckBody(JsonElement described, JsonElement body, string what)
    {
        var media = Content(described, Json);
        Expect.That(media is not null, $"{what} has a JSON body, and the OpenAPI document does not say so.");
        var schema = JsonElement.Parse($$"""{"allOf":[{{ServedContract.InSchema(media.Value.GetProperty("schema").GetRawText())}}],"$defs":{{_schemas}}}""");
        var errors = JsonSchemaDocument.CompileCached(schema).Validate(body);
        Expect.That(errors.Count == 0, $"{what} does not fit the OpenAPI document: {string.Join("; ", errors.Select(error => $"{error.Path} {error.Message}"))} in {body.GetRawText()}");
    }

    private JsonElement? Response(int status) =>
        _operation.GetProperty("responses").TryGetProperty(status.ToString(System.Globalization.CultureInfo.InvariantCulture), out var response) ? response : null;

    private static JsonElement? Content(JsonElement described, string mediaType) =>
        described.TryGetProperty("content", out var content) && content.TryGetProperty(mediaType, out var media) ? media : null;

    [GeneratedRegex(@"\\\{[^}]+\}")]
    private static partial Regex RouteParameter();
}
