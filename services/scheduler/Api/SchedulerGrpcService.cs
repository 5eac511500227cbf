using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Scheduler.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Errors;
using Schedule = OpenWop.Micro.Scheduler.Schedules.Schedule;

namespace OpenWop.Micro.Scheduler.Api;

/// <summary>The service's face: whose schedules, what is asked for, what is stored.</summary>
internal sealed class SchedulerGrpcService(
    ScheduleEditor editor, ScheduleStore schedules, FireStore fires, Ticks ticks, Workflows.WorkflowsClient workflows, SchedulerOptions options, TimeProvider time)
    : Contracts.Scheduler.V1.Scheduler.SchedulerBase
{
    private const int MaxPage = 200;
    private const int DefaultPage = 100;
    private const int DefaultHistory = 50;
    private const int MaxPreview = 100;
    private const int DefaultPreview = 10;

    public override async Task<Contracts.Scheduler.V1.Schedule> CreateSchedule(CreateScheduleRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var draft = editor.Draft(OwnerOf(context), caller.Principal, request.Body.Memory);
        await RequireWorkflowAsync(draft, context.CancellationToken);
        return Map(await editor.StoreAsync(draft, context.CancellationToken));
    }

    public override async Task<Contracts.Scheduler.V1.Schedule> GetSchedule(GetScheduleRequest request, ServerCallContext context) =>
        Map(await FindAsync(request.Id, context));

    public override async Task<ListSchedulesReply> ListSchedules(ListSchedulesRequest request, ServerCallContext context)
    {
        var limit = Limit(request.Limit, DefaultPage, MaxPage);
        var page = await schedules.ListAsync(OwnerOf(context), request.After, limit + 1, context.CancellationToken);
        var reply = new ListSchedulesReply { Next = page.Count > limit ? page[limit - 1].Id : "" };
        var now = time.GetUtcNow();
        reply.Schedules.AddRange(page.Take(limit).Select(schedule => UnsafeByteOperations.UnsafeWrap(schedule.ToJson(now))));
        return reply;
    }

    public override async Task<Contracts.Scheduler.V1.Schedule> UpdateSchedule(UpdateScheduleRequest request, ServerCallContext context) =>
        Map(await editor.ChangeAsync(OwnerOf(context), request.Id, request.Body.Memory, context.CancellationToken));

    public override async Task<DeleteScheduleReply> DeleteSchedule(DeleteScheduleRequest request, ServerCallContext context) =>
        ScheduleReader.IsId(request.Id) && await schedules.DeleteAsync(OwnerOf(context), request.Id, context.CancellationToken)
            ? new DeleteScheduleReply()
            : throw new ProtocolException(ScheduleErrors.NotFound);

    public override async Task<PreviewScheduleReply> PreviewSchedule(PreviewScheduleRequest request, ServerCallContext context)
    {
        var count = Limit(request.Count, DefaultPreview, MaxPreview);
        var schedule = await FindAsync(request.Id, context);
        var rules = schedule.Spec.Rules(schedule.CreatedAt);
        var reply = new PreviewScheduleReply();
        for (var slot = rules.Next(time.GetUtcNow()); slot is { } at && reply.Slots.Count < count; slot = rules.Next(at))
            reply.Slots.Add(Timestamps.Format(at));

        return reply;
    }

    public override async Task<ListFiresReply> ListFires(ListFiresRequest request, ServerCallContext context)
    {
        var limit = Limit(request.Limit, DefaultHistory, MaxPage);
        var before = request.Before.Length == 0 ? DateTimeOffset.MaxValue
            : Timestamps.TryParse(request.Before) ?? throw new ProtocolException(ScheduleErrors.Body("'before' must be an RFC 3339 time.", "before"));
        var schedule = await FindAsync(request.Id, context);
        var page = await fires.HistoryAsync(schedule.Uid, before, limit + 1, context.CancellationToken);
        var reply = new ListFiresReply { Next = page.Count > limit ? Timestamps.Format(page[limit - 1].Slot) : "" };
        reply.Fires.AddRange(page.Take(limit).Select(fire => UnsafeByteOperations.UnsafeWrap(fire.ToJson())));
        return reply;
    }

    public override async Task<TickReply> Tick(TickRequest request, ServerCallContext context)
    {
        DateTimeOffset? at = null;
        if (request.At.Length > 0)
        {
            at = options.HasTestSeams ? Timestamps.TryParse(request.At) ?? throw new ProtocolException(ScheduleErrors.Body("'at' must be an RFC 3339 time.", "at"))
                : throw new ProtocolException(ScheduleErrors.Body("'at' needs test seams, which are off.", "at"));
        }

        var report = await ticks.TickAsync(OwnerOf(context), at, context.CancellationToken);
        return new TickReply { Json = UnsafeByteOperations.UnsafeWrap(report.ToJson()) };
    }

    private static ScheduleOwner OwnerOf(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return new ScheduleOwner(context.TenantOf(""), caller.IsTest);
    }

    private static int Limit(int asked, int otherwise, int max) => asked switch
    {
        0 => otherwise,
        > 0 when asked <= max => asked,
        _ => throw new ProtocolException(ScheduleErrors.Body($"'limit' must be from 1 to {max}.", "limit")),
    };

    private async Task<Schedule> FindAsync(string id, ServerCallContext context) =>
        (ScheduleReader.IsId(id) ? await schedules.FindAsync(OwnerOf(context), id, context.CancellationToken) : null)
            ?? throw new ProtocolException(ScheduleErrors.NotFound);

    private async Task RequireWorkflowAsync(Schedule schedule, CancellationToken cancellationToken)
    {
        try
        {
            await workflows.GetDefinitionAsync(
                new GetDefinitionRequest { WorkflowId = schedule.Spec.WorkflowId, Tenant = schedule.Owner.Tenant, Test = schedule.Owner.IsTest }, cancellationToken: cancellationToken);
        }
        catch (RpcException exception) when (exception.ToProtocolError().Code.HttpStatus == 404)
        {
            throw new ProtocolException(ScheduleErrors.NoWorkflow);
        }
    }

    private Contracts.Scheduler.V1.Schedule Map(Schedule schedule) => new() { Json = UnsafeByteOperations.UnsafeWrap(schedule.ToJson(time.GetUtcNow())) };
}
