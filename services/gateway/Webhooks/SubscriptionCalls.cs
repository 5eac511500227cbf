using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>Webhooks of the caller's organization, and what has become of their deliveries.</summary>
internal sealed class SubscriptionCalls(Contracts.Webhooks.V1.Webhooks.WebhooksClient webhooks)
{
    private const int DefaultOverlapSeconds = 24 * 60 * 60;
    private const int MaxOverlapSeconds = 7 * 24 * 60 * 60;

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await webhooks.ListSubscriptionsAsync(new ListSubscriptionsRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(
            reply.Subscriptions.Select(WebhookJson.Subscription), reply.Subscriptions.Count < page.Limit ? null : reply.Subscriptions[^1].WebhookId);
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var subscription = await webhooks.GetSubscriptionAsync(new GetSubscriptionRequest { WebhookId = Id(call) }, Options(call, cancellationToken));
        return ControlJson.Ok(WebhookJson.Subscription(subscription).With("pending", subscription.Pending));
    }

    /// <summary>The answer holds a secret: no record keeps it, a retry asks the service again.</summary>
    public async Task<Answer> RotateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken, isOptional: true);
        var overlap = body.Integer("overlapSeconds", min: 0, MaxOverlapSeconds);
        body.ThrowIfInvalid();
        var reply = await webhooks.RotateSecretAsync(
            new RotateSecretRequest { WebhookId = Id(call), OverlapSeconds = overlap ?? DefaultOverlapSeconds, RequestId = call.RequestId }, Options(call, cancellationToken));
        return ControlJson.Ok(WebhookJson.Subscription(reply.Subscription).With("secret", reply.Secret)) with { CacheControl = "no-store" };
    }

    public Task<Answer> PauseAsync(OperationCall call, CancellationToken cancellationToken) => SetPausedAsync(call, isPaused: true, cancellationToken);

    public Task<Answer> ResumeAsync(OperationCall call, CancellationToken cancellationToken) => SetPausedAsync(call, isPaused: false, cancellationToken);

    public async Task<Answer> TestAsync(OperationCall call, CancellationToken cancellationToken) => Accepted(
        await webhooks.SendTestAsync(new SendTestRequest { WebhookId = Id(call) }, Options(call, cancellationToken)));

    public async Task<Answer> ListDeliveriesAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await webhooks.ListDeliveriesAsync(
            new ListDeliveriesRequest { WebhookId = Id(call), Status = call.Query("status") ?? "", Before = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(reply.Deliveries.Select(WebhookJson.Delivery), reply.Next.Length > 0 ? reply.Next : null);
    }

    public async Task<Answer> GetDeliveryAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var delivery = await webhooks.GetDeliveryAsync(new GetDeliveryRequest { WebhookId = Id(call), DeliveryId = DeliveryId(call) }, Options(call, cancellationToken));
        return ControlJson.Ok(WebhookJson.Whole(delivery));
    }

    public async Task<Answer> ReplayAsync(OperationCall call, CancellationToken cancellationToken) => Accepted(
        await webhooks.ReplayDeliveryAsync(new ReplayDeliveryRequest { WebhookId = Id(call), DeliveryId = DeliveryId(call) }, Options(call, cancellationToken)));

    private async Task<Answer> SetPausedAsync(OperationCall call, bool isPaused, CancellationToken cancellationToken) => ControlJson.Ok(
        WebhookJson.Subscription(await webhooks.SetPausedAsync(new SetPausedRequest { WebhookId = Id(call), Paused = isPaused }, Options(call, cancellationToken))));

    private static Answer Accepted(Contracts.Webhooks.V1.Delivery delivery) =>
        Answer.Json(StatusCodes.Status202Accepted, ControlJson.Bytes(WebhookJson.Delivery(delivery)));

    private static string Id(OperationCall call) => WebhookOperations.RequireId(call.ResourceId);

    private static string DeliveryId(OperationCall call) => call.NodeId is { Length: > 0 and <= 128 } id && !id.Contains('\0', StringComparison.Ordinal)
        ? id
        : throw new ProtocolException(ProtocolError.NotFound("delivery"));

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(WebhookOperations.Service, RunOperations.Patience, cancellationToken);
}
