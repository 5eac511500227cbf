using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OpenWop.Micro.Connectors;

namespace OpenWop.Micro.Examples.Connector;

/// <summary>
/// <c>sms</c>: sends a text message by the gateway of the installation. The message is sent once per block, whatever dies in between: the
/// gateway gets a key that it knows repetitions by.
/// </summary>
internal sealed class SmsConnector(IHttpClientFactory clients) : IConnector
{
    /// <summary>Name of the HTTP client; the host says where it leads.</summary>
    public const string Client = "sms";

    private const int MaxLength = 1600;
    private const int SegmentLength = 160;

    public static Protocol.Blocks.Connector Description { get; } = new("sms", "SMS", "Sends a text message.", "tools", "compute")
    {
        Parameters =
        [
            new("to", "short-input", "Number of the recipient, such as +41795550100.") { IsRequired = true },
            new("text", "long-input", "The message, at most 1,600 characters.") { IsRequired = true },
            new("priority", "dropdown", "How urgent it is.") { Options = ["normal", "high"] },
            new("account", "short-input", "Id of the secret that holds the key of the gateway.") { IsSecret = true },
        ],
        Outputs =
        [
            new("messageId", "string", "Id of the message at the gateway."),
            new("segments", "number", "How many messages it takes."),
        ],
        Example = """{"to":"{{trigger.phone}}","text":"Your order {{trigger.orderId}} is on its way."}""",
    };

    public async Task<JsonElement> RunAsync(ConnectorCall call, CancellationToken cancellationToken)
    {
        // 1. Read all parameters: what is wrong fails the block before anything happens.
        var to = call.RequiredText("to");
        var text = call.RequiredText("text");
        var priority = call.Choice("priority");
        if (to[0] != '+' || !to.AsSpan(1).ContainsAnyInRange('0', '9') || to.AsSpan(1).ContainsAnyExceptInRange('0', '9'))
            throw call.Wrong("to", "must be a number such as +41795550100");
        if (text.Length > MaxLength)
            throw call.Wrong("text", $"must have at most {MaxLength} characters");

        // 2. The effect, once.
        var messageId = await call.RunOnceAsync("send", (key, stop) => SendAsync(call, new { to, text, priority }, key, stop), cancellationToken);

        // 3. The output.
        var segments = ((text.Length - 1) / SegmentLength) + 1;
        call.Log("info", $"Sent {segments} message(s).");
        return JsonSerializer.SerializeToElement(new { messageId, segments });
    }

    /// <summary>What passes by itself is tried again; what the gateway refuses is final.</summary>
    private async Task<JsonElement> SendAsync(ConnectorCall call, object message, string key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "messages") { Content = JsonContent.Create(message) };
        request.Headers.Add("Idempotency-Key", key);
        if (call.Secrets.TryGetValue("account", out var account))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", account);

        try
        {
            using var response = await clients.CreateClient(Client).SendAsync(request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
                throw new ConnectorException("sms_gateway_busy", $"The gateway answers {(int)response.StatusCode}.", isTransient: true);
            if (!response.IsSuccessStatusCode)
                throw new ConnectorException("sms_refused", $"The gateway refuses the message with {(int)response.StatusCode}.");

            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            return answer.TryGetProperty("id", out var id) ? id.Clone() : throw new ConnectorException("sms_gateway_odd", "The gateway does not say what it calls the message.");
        }
        catch (HttpRequestException)
        {
            throw new ConnectorException("sms_gateway_unreachable", "The gateway cannot be reached.", isTransient: true);
        }
    }
}
