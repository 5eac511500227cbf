using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Http;

/// <summary>A request as the node's parameters describe it, checked.</summary>
internal sealed record HttpCall
{
    public const int DefaultTimeoutMs = 10_000;
    public const int MaxTimeoutMs = 120_000;
    public const int DefaultMaxResponseBytes = 1024 * 1024;

    /// <summary>Larger answers would not fit into the outputs.</summary>
    public const int MaxMaxResponseBytes = NodeLimits.MaxOutputBytes;

    /// <summary>Largest body of a request in bytes.</summary>
    public const int MaxRequestBytes = NodeLimits.MaxInputBytes;

    /// <summary>Longest URL with its query, in characters.</summary>
    public const int MaxUrlLength = 8192;

    public required string Method { get; init; }
    public required Uri Url { get; init; }
    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    /// <summary>UTF-8; null = none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Content type of the body unless a header gives one.</summary>
    public string? ContentType { get; init; }

    public required int TimeoutMs { get; init; }
    public required int MaxResponseBytes { get; init; }

    /// <summary>Statuses that count as success; null = 200 to 299.</summary>
    public IReadOnlySet<int>? ExpectedStatuses { get; init; }

    /// <summary>Whether repeating the request changes nothing at the other side.</summary>
    public bool IsSafe => Method is "GET" or "HEAD" or "OPTIONS";

    /// <summary>Whether every answer is a success.</summary>
    public bool AcceptsEveryStatus { get; init; }

    public bool IsExpected(int status) => AcceptsEveryStatus || (ExpectedStatuses?.Contains(status) ?? status is >= 200 and <= 299);

    /// <summary>Reads the parameters; what is wrong with them is in <see cref="NodeParameters.Error"/>.</summary>
    public static HttpCall? Read(NodeParameters parameters)
    {
        var method = parameters.String("method")?.ToUpperInvariant() ?? "GET";
        if (method is not ("GET" or "HEAD" or "OPTIONS" or "POST" or "PUT" or "PATCH" or "DELETE"))
        {
            parameters.Reject("method", "must be one of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
        }

        if (parameters.Boolean("followRedirects", fallback: false))
        {
            parameters.Reject("followRedirects", "must be false: a redirect is an answer");
        }

        var url = ReadUrl(parameters);
        var (body, contentType) = ReadBody(parameters);
        var headers = ReadHeaders(parameters);
        var timeout = parameters.Integer("timeoutMs", 1, MaxTimeoutMs, DefaultTimeoutMs);
        var maxResponse = parameters.Integer("maxResponseBytes", 0, MaxMaxResponseBytes, DefaultMaxResponseBytes);
        var expected = ReadExpectedStatuses(parameters);
        return parameters.Error is not null ? null : new HttpCall
        {
            Method = method,
            Url = url!,
            Headers = headers,
            Body = body,
            ContentType = contentType,
            TimeoutMs = (int)timeout,
            MaxResponseBytes = (int)maxResponse,
            ExpectedStatuses = expected,
        };
    }

    /// <summary>The request; the identity is its idempotency key unless the workflow gives one of its own.</summary>
    public HttpRequestMessage ToRequest(string identity)
    {
        var request = new HttpRequestMessage(HttpMethod.Parse(Method), Url);
        if (Body is not null)
        {
            request.Content = new ByteArrayContent(Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        }

        foreach (var (name, value) in Headers)
        {
            // Headers of the content are refused by the request's collection, and the other way round.
            if (!request.Headers.TryAddWithoutValidation(name, value) && request.Content is { } content)
            {
                content.Headers.Remove(name);
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (!request.Headers.Contains("Idempotency-Key"))
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", identity);
        }

        return request;
    }

    private static Uri? ReadUrl(NodeParameters parameters)
    {
        var text = parameters.RequiredString("url");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            parameters.Reject("url", "must be an absolute http or https URL");
            return null;
        }

        if (parameters.Object("query") is { } query)
        {
            url = new UriBuilder(url) { Query = AppendQuery(parameters, url.Query, query) }.Uri;
        }

        if (url.OriginalString.Length > MaxUrlLength || url.AbsoluteUri.Length > MaxUrlLength)
        {
            parameters.Reject("url", $"must have at most {MaxUrlLength} characters with its query");
        }

        return url;
    }

    /// <summary>A list gives its name once per item, null gives nothing.</summary>
    private static string AppendQuery(NodeParameters parameters, string existing, JsonElement query)
    {
        var text = new StringBuilder(existing);
        foreach (var member in query.EnumerateObject())
        {
            IEnumerable<JsonElement> values = member.Value.ValueKind == JsonValueKind.Array ? member.Value.EnumerateArray() : [member.Value];
            foreach (var value in values.Where(value => value.ValueKind != JsonValueKind.Null))
            {
                if (ScalarText(value) is not { } scalar)
                {
                    parameters.Reject("query", $"must have a string, number or bool, or a list of them, as '{member.Name}'");
                    return existing;
                }

                text.Append(text.Length > 1 ? "&" : "")
                    .Append(UrlEncoder.Default.Encode(member.Name))
                    .Append('=')
                    .Append(UrlEncoder.Default.Encode(scalar));
            }
        }

        return text.ToString();
    }

    private static (byte[]? Body, string? ContentType) ReadBody(NodeParameters parameters)
    {
        if (parameters.Find("body") is not { } body)
        {
            return (null, null);
        }

        var isText = body.ValueKind == JsonValueKind.String;
        var bytes = Encoding.UTF8.GetBytes(isText ? body.GetString()! : body.GetRawText());
        if (bytes.Length > MaxRequestBytes)
        {
            parameters.Reject("body", $"must have at most {MaxRequestBytes} bytes");
        }

        return (bytes, isText ? "text/plain; charset=utf-8" : "application/json");
    }

    private static List<KeyValuePair<string, string>> ReadHeaders(NodeParameters parameters)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (parameters.Object("headers") is not { } given)
        {
            return headers;
        }

        var characters = 0;
        foreach (var member in given.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            var value = ScalarText(member.Value);
            var problem = value is null ? $"must have a string, number or bool as '{member.Name}'" : HttpHeaderRules.Check(member.Name, value);
            characters += member.Name.Length + (value?.Length ?? 0);
            if (problem is null && (headers.Count == HttpHeaderRules.MaxCount || characters > HttpHeaderRules.MaxCharacters))
            {
                problem = $"must have at most {HttpHeaderRules.MaxCount} headers with {HttpHeaderRules.MaxCharacters} characters";
            }

            if (problem is not null)
            {
                parameters.Reject("headers", problem);
                return headers;
            }

            headers.Add(KeyValuePair.Create(member.Name, value!));
        }

        return headers;
    }

    private static HashSet<int>? ReadExpectedStatuses(NodeParameters parameters)
    {
        if (parameters.Find("expectStatus") is not { } expected)
        {
            return null;
        }

        IEnumerable<JsonElement> given = expected.ValueKind == JsonValueKind.Array ? expected.EnumerateArray() : [expected];
        var statuses = new HashSet<int>();
        foreach (var item in given)
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var status) || status is < 200 or > 599)
            {
                parameters.Reject("expectStatus", "must be a status from 200 to 599, or a list of them");
                return null;
            }

            statuses.Add(status);
        }

        return statuses;
    }

    private static string? ScalarText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };
}
