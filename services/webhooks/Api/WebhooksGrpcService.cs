using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Intake;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Subscriptions;
using DeliveryMessage = OpenWop.Micro.Contracts.Webhooks.V1.Delivery;
using Subscription = OpenWop.Micro.Webhooks.Subscriptions.Subscription;
using SubscriptionMessage = OpenWop.Micro.Contracts.Webhooks.V1.Subscription;

namespace OpenWop.Micro.Webhooks.Api;

/// <summary>The service's face: who calls, and what for.</summary>
internal sealed class WebhooksGrpcService(Registrar registrar, SubscriptionStore subscriptions, DeliveryHistory history, IEventBus bus, TimeProvider clock)
    : Contracts.Webhooks.V1.Webhooks.WebhooksBase
{
    private const int MaxPage = 200;
    private const int MaxOverlapSeconds = 7 * 24 * 60 * 60;

    public override async Task<RegisterWebhookReply> RegisterWebhook(RegisterWebhookRequest request, ServerCallContext context)
    {
        var registered = await registrar.RegisterAsync(
            OwnerOf(context), request.Body.Memory, request.RequestId.Length > 0 ? request.RequestId : null, context.CancellationToken);
        Tell(FeedFollower.SubscriptionsTopic);
        return new RegisterWebhookReply
        {
            WebhookId = registered.Subscription.Id,
            Secret = registered.Secret,
            SecretFingerprint = registered.Subscription.Fingerprint,
            Replayed = registered.IsReplay,
        };
    }

    public override async Task<UnregisterWebhookReply> UnregisterWebhook(UnregisterWebhookRequest request, ServerCallContext context) =>
        await subscriptions.DeleteAsync(OwnerOf(context), request.WebhookId, context.CancellationToken)
            ? new UnregisterWebhookReply()
            : throw new ProtocolException(SubscriptionErrors.NotFound);

    public override async Task<ListSubscriptionsReply> ListSubscriptions(ListSubscriptionsRequest request, ServerCallContext context)
    {
        var page = await subscriptions.ListAsync(OwnerOf(context), request.After, Math.Clamp(request.Limit, 1, MaxPage), context.CancellationToken);
        var now = clock.GetUtcNow();
        return new ListSubscriptionsReply { Subscriptions = { page.Select(subscription => SubscriptionMessages.Of(subscription, now)) } };
    }

    public override async Task<SubscriptionMessage> GetSubscription(GetSubscriptionRequest request, ServerCallContext context)
    {
        var message = SubscriptionMessages.Of(await VisibleAsync(request.WebhookId, context), clock.GetUtcNow());
        message.Pending = await history.CountPendingAsync(message.WebhookId, context.CancellationToken);
        return message;
    }

    public override async Task<RotateSecretReply> RotateSecret(RotateSecretRequest request, ServerCallContext context)
    {
        if (request.OverlapSeconds is < 0 or > MaxOverlapSeconds)
            throw new ProtocolException(ProtocolError.Validation($"'overlapSeconds' must be a whole number from 0 to {MaxOverlapSeconds}.", "overlapSeconds"));

        var rotated = await registrar.RotateAsync(
            await VisibleAsync(request.WebhookId, context), TimeSpan.FromSeconds(request.OverlapSeconds), request.RequestId.Length > 0 ? request.RequestId : null, context.CancellationToken);
        return new RotateSecretReply { Secret = rotated.Secret, Subscription = SubscriptionMessages.Of(rotated.Subscription, clock.GetUtcNow()) };
    }

    public override async Task<SubscriptionMessage> SetPaused(SetPausedRequest request, ServerCallContext context)
    {
        var subscription = await AliveAsync(request.WebhookId, context);
        var status = request.Paused ? SubscriptionStatus.Paused : SubscriptionStatus.Active;
        if (!await subscriptions.SetStatusAsync(subscription.Owner, subscription.Id, status, context.CancellationToken))
            throw new ProtocolException(SubscriptionErrors.Failed);

        Tell(Dispatcher.Topic);
        return SubscriptionMessages.Of(subscription with { Status = status }, clock.GetUtcNow());
    }

    public override async Task<DeliveryMessage> SendTest(SendTestRequest request, ServerCallContext context)
    {
        var subscription = await AliveAsync(request.WebhookId, context);
        var test = SubscriptionMessages.Test(subscription, clock.GetUtcNow());
        await history.AddAsync(subscription.Id, test, context.CancellationToken);
        Tell(Dispatcher.Topic);
        return await DeliveryAsync(subscription.Id, test.Id, context);
    }

    public override async Task<ListDeliveriesReply> ListDeliveries(ListDeliveriesRequest request, ServerCallContext context)
    {
        if (request.Status is not ("" or DeliveryStatus.Pending or DeliveryStatus.Delivered or DeliveryStatus.Dead))
            throw new ProtocolException(ProtocolError.Validation("'status' must be pending, delivered or dead.", "status"));

        var subscription = await VisibleAsync(request.WebhookId, context);
        var (page, next) = await history.ListAsync(
            subscription.Id, request.Status, request.Before, Math.Clamp(request.Limit, 1, MaxPage), context.CancellationToken);
        return new ListDeliveriesReply { Deliveries = { page }, Next = next };
    }

    public override async Task<DeliveryMessage> GetDelivery(GetDeliveryRequest request, ServerCallContext context) =>
        await DeliveryAsync((await VisibleAsync(request.WebhookId, context)).Id, request.DeliveryId, context);

    public override async Task<DeliveryMessage> ReplayDelivery(ReplayDeliveryRequest request, ServerCallContext context)
    {
        var subscription = await AliveAsync(request.WebhookId, context);
        await DeliveryAsync(subscription.Id, request.DeliveryId, context);
        if (!await history.ReviveAsync(subscription.Id, request.DeliveryId, context.CancellationToken))
            throw new ProtocolException(SubscriptionErrors.NotDead);

        Tell(Dispatcher.Topic);
        return await DeliveryAsync(subscription.Id, request.DeliveryId, context);
    }

    private async Task<DeliveryMessage> DeliveryAsync(string webhookId, string deliveryId, ServerCallContext context) =>
        await history.FindAsync(webhookId, deliveryId, context.CancellationToken) ?? throw new ProtocolException(SubscriptionErrors.NoDelivery);

    private async Task<Subscription> VisibleAsync(string webhookId, ServerCallContext context) =>
        await subscriptions.FindAsync(OwnerOf(context), webhookId, context.CancellationToken) ?? throw new ProtocolException(SubscriptionErrors.NotFound);

    private async Task<Subscription> AliveAsync(string webhookId, ServerCallContext context) =>
        await VisibleAsync(webhookId, context) is { Status: not SubscriptionStatus.Failed } alive ? alive : throw new ProtocolException(SubscriptionErrors.Failed);

    private void Tell(string topic) => bus.Publish(new BusMessage(topic, clock.GetTimestamp(), ReadOnlyMemory<byte>.Empty));

    private static SubscriptionOwner OwnerOf(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return caller.IsService
            ? throw new RpcException(new Status(StatusCode.PermissionDenied, "Webhooks belong to users."))
            : new SubscriptionOwner(caller.Tenant, caller.IsTest);
    }
}
