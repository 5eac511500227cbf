using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Webhooks.Intake;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Api;

/// <summary>The service's face: who calls, and what for.</summary>
internal sealed class WebhooksGrpcService(Registrar registrar, SubscriptionStore subscriptions, IEventBus bus, TimeProvider clock) : Contracts.Webhooks.V1.Webhooks.WebhooksBase
{
    public override async Task<RegisterWebhookReply> RegisterWebhook(RegisterWebhookRequest request, ServerCallContext context)
    {
        var registered = await registrar.RegisterAsync(
            OwnerOf(context), request.Body.Memory, request.RequestId.Length > 0 ? request.RequestId : null, context.CancellationToken);
        bus.Publish(new BusMessage(FeedFollower.SubscriptionsTopic, clock.GetTimestamp(), ReadOnlyMemory<byte>.Empty));
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

    private static SubscriptionOwner OwnerOf(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return caller.IsService
            ? throw new RpcException(new Status(StatusCode.PermissionDenied, "Webhooks belong to users."))
            : new SubscriptionOwner(caller.Tenant, caller.IsTest);
    }
}
