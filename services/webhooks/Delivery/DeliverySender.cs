using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using OpenWop.Micro.Egress;
using OpenWop.Micro.ServiceDefaults.Logging;
using OpenWop.Micro.Webhooks.Signing;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>Sends one delivery (spec/webhooks-packs.md 1.5). Anything but an answer with 2xx within five seconds is a failure, also a redirect.</summary>
/// <param name="network">Time of the machine, in which attempts run out; what the service takes for the time of day may be something else.</param>
internal sealed partial class DeliverySender(
    WebhookOptions options,
    SubscriptionSecrets secrets,
    TimeProvider clock,
    [FromKeyedServices(WebhooksHosting.NetworkTime)] TimeProvider network,
    ILogger<DeliverySender> logger) : IDisposable
{
    /// <summary>Time of an attempt, from the first look at the address to the headers of the answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly string UserAgent = $"openwop-webhook-dispatcher/{typeof(DeliverySender).Assembly.GetName().Version!.ToString(3)}";

    private readonly EgressHttp http = new(options.Egress);

    /// <exception cref="System.Security.Cryptography.CryptographicException">The secret cannot be opened.</exception>
    public async Task<Attempt> SendAsync(Subscription subscription, PendingDelivery delivery)
    {
        var started = clock.GetUtcNow();
        var clocked = network.GetTimestamp();
        using var request = CreateRequest(subscription, delivery, started);
        using var limit = new CancellationTokenSource(Patience, network);
        using var scope = logger.BeginRun(delivery.RunId, subscription.Owner.Tenant);
        using var trace = Enter(delivery.Traceparent);
        var (status, error) = await TryAsync(request, subscription.Id, limit);
        return new Attempt(started, network.GetElapsedTime(clocked), status, error);
    }

    public void Dispose() => http.Dispose();

    internal HttpRequestMessage CreateRequest(Subscription subscription, PendingDelivery delivery, DateTimeOffset now)
    {
        var content = new ByteArrayContent(delivery.Body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, subscription.Url) { Content = content };
        var seconds = now.ToUnixTimeSeconds();
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        Add(request, "Webhook-Id", subscription.Id);
        Add(request, "Event-Type", delivery.EventType);
        Add(request, "Timestamp", seconds.ToString(CultureInfo.InvariantCulture));
        Add(request, "Signature", SignatureV1.Sign(secrets.Open(subscription.Id, subscription.Secret), seconds, delivery.Body));
        Add(request, "Signature-Algorithm", SignatureV1.Algorithm);
        Add(request, "Delivery-Id", delivery.Id);
        Add(request, "Delivery-Attempt", (delivery.Attempts + 1).ToString(CultureInfo.InvariantCulture));
        if (subscription.PreviousSecret is { } previous && now < subscription.PreviousUntil)
            Add(request, "Signature-Previous", SignatureV1.Sign(secrets.Open(subscription.Id, previous), seconds, delivery.Body));

        return request;
    }

    /// <summary>Makes a request part of a trace: the HTTP client hands on whose child it is.</summary>
    private static Activity? Enter(string? traceparent) =>
        traceparent is null ? null : new Activity("openwop.webhook.delivery").SetParentId(traceparent).Start();

    private async Task<(int Status, string Error)> TryAsync(HttpRequestMessage request, string webhookId, CancellationTokenSource limit)
    {
        try
        {
            using var answer = await http.SendAsync(request, limit.Token);
            return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? "" : Attempt.BadStatus);
        }
        catch (EgressDeniedException denied)
        {
            Log.Refused(logger, webhookId, denied.Denial.Reason);
            return (0, Attempt.Refused);
        }
        catch (OperationCanceledException)
        {
            return (0, Attempt.Timeout);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return (0, limit.IsCancellationRequested ? Attempt.Timeout : Attempt.Unreachable);
        }
    }

    /// <summary>Every header has a twin under the name of the protocol.</summary>
    private static void Add(HttpRequestMessage request, string name, string value)
    {
        request.Headers.TryAddWithoutValidation("X-openwop-" + name, value);
        request.Headers.TryAddWithoutValidation("OpenWOP-" + name, value);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Webhook {WebhookId}: the address is refused: {Reason}")]
        public static partial void Refused(ILogger logger, string webhookId, string reason);
    }
}
