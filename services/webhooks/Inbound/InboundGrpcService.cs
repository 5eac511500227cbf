using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Webhooks.Inbound.Store;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>The face of inbound webhooks: whose, what is asked for, what was sent.</summary>
internal sealed class InboundGrpcService(InboundEditor editor, InboundStore store, InboundReceiver receiver, TimeProvider time)
    : InboundWebhooks.InboundWebhooksBase
{
    private const int MaxPage = 200;
    private const int DefaultPage = 50;

    public override async Task<Contracts.Webhooks.V1.InboundWebhook> CreateInboundWebhook(CreateInboundWebhookRequest request, ServerCallContext context)
    {
        var made = await editor.CreateAsync(OwnerOf(context), context.GetCaller().Principal, request.Body.Memory, RequestIdOf(request.RequestId), context.CancellationToken);
        return Map(made.Webhook, request.BaseUrl, made.Secret);
    }

    public override async Task<Contracts.Webhooks.V1.InboundWebhook> GetInboundWebhook(GetInboundWebhookRequest request, ServerCallContext context)
    {
        var webhook = await store.FindAsync(OwnerOf(context), request.Id, context.CancellationToken) ?? throw new ProtocolException(InboundErrors.NotFound);
        return Map(webhook, request.BaseUrl, secret: null);
    }

    public override async Task<ListInboundWebhooksReply> ListInboundWebhooks(ListInboundWebhooksRequest request, ServerCallContext context)
    {
        var limit = LimitOf(request.Limit);
        var page = await store.ListAsync(OwnerOf(context), request.After, limit + 1, context.CancellationToken);
        var reply = new ListInboundWebhooksReply { Next = page.Count > limit ? page[limit - 1].Id : "" };
        reply.Webhooks.AddRange(page.Take(limit).Select(webhook => Json(webhook, request.BaseUrl, secret: null)));
        return reply;
    }

    public override async Task<Contracts.Webhooks.V1.InboundWebhook> UpdateInboundWebhook(UpdateInboundWebhookRequest request, ServerCallContext context) =>
        Map(await editor.UpdateAsync(OwnerOf(context), request.Id, request.Body.Memory, context.CancellationToken), request.BaseUrl, secret: null);

    public override async Task<ListInboundDeliveriesReply> ListInboundDeliveries(ListInboundDeliveriesRequest request, ServerCallContext context)
    {
        var webhook = await store.FindAsync(OwnerOf(context), request.Id, context.CancellationToken) ?? throw new ProtocolException(InboundErrors.NotFound);
        var limit = LimitOf(request.Limit);
        var page = await store.ListDeliveriesAsync(webhook.Id, AcceptedDelivery.ParseCursor(request.Before), limit + 1, context.CancellationToken);
        var reply = new ListInboundDeliveriesReply { Next = page.Count > limit ? page[limit - 1].Cursor : "" };
        reply.Deliveries.AddRange(page.Take(limit).Select(delivery => UnsafeByteOperations.UnsafeWrap(delivery.ToJson())));
        return reply;
    }

    public override async Task<DeleteInboundWebhookReply> DeleteInboundWebhook(DeleteInboundWebhookRequest request, ServerCallContext context) =>
        await store.DeleteAsync(OwnerOf(context), request.Id, context.CancellationToken)
            ? new DeleteInboundWebhookReply()
            : throw new ProtocolException(InboundErrors.NotFound);

    public override async Task<Contracts.Webhooks.V1.InboundWebhook> RotateInboundSecret(RotateInboundSecretRequest request, ServerCallContext context)
    {
        var rotated = await editor.RotateAsync(OwnerOf(context), request.Id, request.Body.Memory, RequestIdOf(request.RequestId), context.CancellationToken);
        return Map(rotated.Webhook, request.BaseUrl, rotated.Secret);
    }

    public override Task<DeliverReply> Deliver(DeliverRequest request, ServerCallContext context) => context.GetCaller().IsService
        ? receiver.ReceiveAsync(request, context.CancellationToken)
        : throw new RpcException(new Status(StatusCode.PermissionDenied, "Deliveries come through a gateway."));

    private static int LimitOf(int asked) => asked switch
    {
        0 => DefaultPage,
        > 0 and <= MaxPage => asked,
        _ => throw new ProtocolException(InboundErrors.Body($"'limit' must be from 1 to {MaxPage}.", "limit")),
    };

    private static string? RequestIdOf(string requestId) => requestId.Length > 0 ? requestId : null;

    private static InboundOwner OwnerOf(ServerCallContext context) => new(context.TenantOf(""), context.GetCaller().IsTest);

    private Contracts.Webhooks.V1.InboundWebhook Map(InboundWebhook webhook, string baseUrl, string? secret) => new() { Json = Json(webhook, baseUrl, secret) };

    private ByteString Json(InboundWebhook webhook, string baseUrl, string? secret) =>
        UnsafeByteOperations.UnsafeWrap(webhook.ToJson(baseUrl, secret, time.GetUtcNow()));
}
