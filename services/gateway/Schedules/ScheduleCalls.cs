using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Scheduler.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;

namespace OpenWop.Micro.Gateway.Schedules;

/// <summary>Schedules of the caller's organization. Documents pass through as the scheduler reads and writes them.</summary>
internal sealed class ScheduleCalls(Contracts.Scheduler.V1.Scheduler.SchedulerClient scheduler)
{
    /// <summary>A tick makes the runs of all that is due.</summary>
    private static readonly TimeSpan TickPatience = TimeSpan.FromSeconds(60);

    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await BodyAsync(call, cancellationToken);
        var schedule = await scheduler.CreateScheduleAsync(new CreateScheduleRequest { Body = body }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, schedule.Json.Memory);
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await scheduler.ListSchedulesAsync(
            new ListSchedulesRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return Page(reply.Schedules, reply.Next);
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken) => Answer.Json(
        StatusCodes.Status200OK,
        (await scheduler.GetScheduleAsync(new GetScheduleRequest { Id = call.ResourceId }, Options(call, cancellationToken))).Json.Memory);

    public async Task<Answer> UpdateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await BodyAsync(call, cancellationToken);
        var schedule = await scheduler.UpdateScheduleAsync(new UpdateScheduleRequest { Id = call.ResourceId, Body = body }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, schedule.Json.Memory);
    }

    public async Task<Answer> DeleteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await scheduler.DeleteScheduleAsync(new DeleteScheduleRequest { Id = call.ResourceId }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    public async Task<Answer> PreviewAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var count = 0;
        if (call.Query("count") is { Length: > 0 } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count))
            throw new ProtocolException(ProtocolError.Validation("'count' must be a whole number.", "count"));

        var reply = await scheduler.PreviewScheduleAsync(
            new PreviewScheduleRequest { Id = call.ResourceId, Count = count }, Options(call, cancellationToken));
        return ControlJson.Ok(new JsonObject { ["data"] = new JsonArray([.. reply.Slots.Select(slot => (JsonNode)slot)]) });
    }

    public async Task<Answer> ListFiresAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await scheduler.ListFiresAsync(
            new ListFiresRequest { Id = call.ResourceId, Before = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return Page(reply.Fires, reply.Next);
    }

    /// <summary><c>POST /api/admin/tick</c>; no body stands for now.</summary>
    public async Task<Answer> TickAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken, isOptional: true);
        var at = body.Text("at", 64);
        body.ThrowIfInvalid();
        var reply = await scheduler.TickAsync(new TickRequest { At = at }, call.Caller.CallOptions(ScheduleEndpoints.Service, TickPatience, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory);
    }

    private static Answer Page(IEnumerable<ByteString> documents, string next) =>
        ControlJson.Page(documents.Select(document => JsonNode.Parse(document.Span)!), next.Length > 0 ? next : null);

    private static async Task<ByteString> BodyAsync(OperationCall call, CancellationToken cancellationToken) =>
        UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(ScheduleEndpoints.Service, RunOperations.Patience, cancellationToken);
}
