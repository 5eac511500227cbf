using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.A2a;

/// <summary>Why a peer could not be asked, or did not answer as one should.</summary>
/// <param name="mayPass">True when asking again may help.</param>
internal sealed class A2aException(string code, string message, bool mayPass) : Exception(message)
{
    public NodeError Error { get; } = new(code, message, mayPass);
}

/// <summary>
/// The agent that the operator has configured (<c>OPENWOP_A2A_PEER</c>: the address of its card, or of what the card lies under). The card
/// says where it is called; calls are JSON-RPC over HTTP (spec/agents.md 14).
/// </summary>
internal sealed class A2aPeer(Uri address) : IDisposable
{
    public const string Setting = "OPENWOP_A2A_PEER";

    private const string CardPath = "/.well-known/agent-card.json";
    private const int MaxAnswerBytes = 1024 * 1024;

    private static readonly JsonLimits Limits = new(MaxAnswerBytes, MaxDepth: 32);

    /// <summary>Time of one request.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // The operator has named this peer, which may well be at home. The card may name another place, but no other machine.
    private readonly EgressHttp http = new(new EgressPolicy { AllowPrivate = true });

    /// <summary>The configured peer, or null.</summary>
    /// <exception cref="InvalidOperationException">The setting makes no sense.</exception>
    public static A2aPeer? Read(IConfiguration configuration) => configuration[Setting] switch
    {
        null or "" => null,
        var text when Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" => new A2aPeer(url),
        _ => throw new InvalidOperationException($"{Setting} must be an absolute http or https URL."),
    };

    /// <summary>The card of the agent.</summary>
    public Task<JsonElement> CardAsync(CancellationToken cancellationToken)
    {
        var card = address.AbsolutePath.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? address : new Uri(address, CardPath);
        return SendAsync(new HttpRequestMessage(HttpMethod.Get, card), cancellationToken);
    }

    /// <summary>Calls a method of the agent; returns its result.</summary>
    /// <exception cref="A2aException">The peer cannot be reached, or answers with an error.</exception>
    public async Task<JsonElement> CallAsync(JsonElement card, string method, string id, Action<Utf8JsonWriter> writeParameters, CancellationToken cancellationToken)
    {
        var call = NodeJson.Object(writer =>
        {
            writer.WriteString("jsonrpc", "2.0");
            writer.WriteString("id", id);
            writer.WriteString("method", method);
            writer.WriteStartObject("params");
            writeParameters(writer);
            writer.WriteEndObject();
        });
        var content = new ByteArrayContent(JsonMarshal.GetRawUtf8Value(call).ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, EndpointOf(card)) { Content = content };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", id);
        var answer = await SendAsync(request, cancellationToken);
        if (answer.Member("error") is { ValueKind: JsonValueKind.Object } error)
            throw new A2aException("external_call_failed", $"The peer refused {method} ({error.IntegerMember("code") ?? 0}).", mayPass: false);

        return answer.Member("result") ?? throw Strange();
    }

    public void Dispose() => http.Dispose();

    private Uri EndpointOf(JsonElement card)
    {
        if (card.StringMember("url") is not { Length: > 0 } text)
            return new Uri(address, "/");

        return Uri.TryCreate(address, text, out var url) && url.Host == address.Host && url.Scheme is "http" or "https"
            ? url
            : throw new A2aException("external_call_failed", "The card of the peer leads to another host.", mayPass: false);
    }

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using (request)
            {
                using var answer = await http.SendAsync(request, limit.Token);
                var status = (int)answer.StatusCode;
                if (status is < 200 or > 299)
                    throw new A2aException("external_call_failed", $"The peer answered with status {status}.", mayPass: status is 408 or 429 or >= 500);

                return await BoundedBody.ReadAsync(answer.Content, MaxAnswerBytes, limit.Token) is { } body && StrictJson.TryParse(body, Limits, out var json, out _)
                    ? json
                    : throw Strange();
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException or EgressDeniedException && !cancellationToken.IsCancellationRequested)
        {
            throw new A2aException("external_call_failed", "The peer cannot be reached.", mayPass: true);
        }
    }

    private static A2aException Strange() => new("external_call_failed", "The peer does not answer as an agent does.", mayPass: false);
}
