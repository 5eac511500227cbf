using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Webhooks.Bodies;
using OpenWop.Micro.Webhooks.Intake;
using OpenWop.Micro.Webhooks.Subscriptions;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>The face of triggers: whose, and what is asked for.</summary>
internal sealed class TriggersGrpcService(TriggerEditor editor, TriggerStore store, FiringStore firings, RunStarter starter, IEventBus bus, TimeProvider time)
    : Contracts.Webhooks.V1.Triggers.TriggersBase
{
    private const int MaxPage = 200;
    private const int DefaultPage = 50;

    public override async Task<TriggerReply> CreateTrigger(CreateTriggerRequest request, ServerCallContext context) => Changed(await editor.CreateAsync(
        OwnerOf(context), context.GetCaller().Principal, request.Body.Memory, request.RequestId.Length > 0 ? request.RequestId : null, context.CancellationToken));

    public override async Task<TriggerReply> GetTrigger(GetTriggerRequest request, ServerCallContext context) =>
        Map(await editor.FindAsync(OwnerOf(context), request.Id, context.CancellationToken));

    public override async Task<ListTriggersReply> ListTriggers(ListTriggersRequest request, ServerCallContext context)
    {
        var limit = LimitOf(request.Limit);
        var page = await store.ListAsync(OwnerOf(context), request.After, limit + 1, context.CancellationToken);
        var reply = new ListTriggersReply { Next = page.Count > limit ? page[limit - 1].Id : "" };
        reply.Triggers.AddRange(page.Take(limit).Select(trigger => UnsafeByteOperations.UnsafeWrap(trigger.ToJson())));
        return reply;
    }

    public override async Task<TriggerReply> UpdateTrigger(UpdateTriggerRequest request, ServerCallContext context) =>
        Changed(await editor.UpdateAsync(OwnerOf(context), request.Id, request.Body.Memory, context.CancellationToken));

    public override async Task<TriggerReply> SetTriggerPaused(SetTriggerPausedRequest request, ServerCallContext context) =>
        Changed(await editor.SetPausedAsync(OwnerOf(context), request.Id, request.Paused, context.CancellationToken));

    public override async Task<DeleteTriggerReply> DeleteTrigger(DeleteTriggerRequest request, ServerCallContext context) =>
        await store.DeleteAsync(OwnerOf(context), request.Id, context.CancellationToken)
            ? new DeleteTriggerReply()
            : throw new ProtocolException(TriggerErrors.NotFound);

    public override async Task<ListFiringsReply> ListFirings(ListFiringsRequest request, ServerCallContext context)
    {
        var trigger = await editor.FindAsync(OwnerOf(context), request.Id, context.CancellationToken);
        var limit = LimitOf(request.Limit);
        var page = await firings.ListAsync(trigger.Id, request.Before, limit + 1, context.CancellationToken);
        var reply = new ListFiringsReply { Next = page.Count > limit ? page[limit - 1].Cursor : "" };
        reply.Firings.AddRange(page.Take(limit).Select(firing => UnsafeByteOperations.UnsafeWrap(firing.ToJson())));
        return reply;
    }

    public override async Task<FiringReply> ReplayFiring(ReplayFiringRequest request, ServerCallContext context)
    {
        var trigger = await editor.FindAsync(OwnerOf(context), request.Id, context.CancellationToken);
        var firing = await FindAsync();
        if (!await firings.ReviveAsync(trigger.Id, firing.Id, time.GetUtcNow(), context.CancellationToken))
            throw new ProtocolException(TriggerErrors.NotFailed);

        starter.Wake();
        return new FiringReply { Json = UnsafeByteOperations.UnsafeWrap((await FindAsync()).ToJson()) };

        async Task<Firing> FindAsync() =>
            await firings.FindAsync(trigger.Id, request.FiringId, context.CancellationToken) ?? throw new ProtocolException(TriggerErrors.NoFiring);
    }

    /// <summary>Followers hear of it.</summary>
    private TriggerReply Changed(Trigger trigger)
    {
        bus.Publish(new BusMessage(FeedFollower.SubscriptionsTopic, time.GetTimestamp(), ReadOnlyMemory<byte>.Empty));
        return Map(trigger);
    }

    private static TriggerReply Map(Trigger trigger) => new() { Json = UnsafeByteOperations.UnsafeWrap(trigger.ToJson()) };

    private static int LimitOf(int asked) => asked switch
    {
        0 => DefaultPage,
        > 0 and <= MaxPage => asked,
        _ => throw BodyMembers.Wrong($"'limit' must be from 1 to {MaxPage}.", "limit"),
    };

    private static SubscriptionOwner OwnerOf(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return caller.IsService
            ? throw new RpcException(new Status(StatusCode.PermissionDenied, "Triggers belong to users."))
            : new SubscriptionOwner(caller.Tenant, caller.IsTest);
    }
}
