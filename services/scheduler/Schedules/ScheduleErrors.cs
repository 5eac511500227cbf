using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>Refusals of the service, in the vocabulary of <c>/api</c>.</summary>
internal static class ScheduleErrors
{
    private static readonly ErrorCode InvalidBody = new("invalid_body", 400, 3);
    private static readonly ErrorCode InvalidCron = new("invalid_cron", 400, 3);
    private static readonly ErrorCode InvalidTimezone = new("invalid_timezone", 400, 3);
    private static readonly ErrorCode WorkflowNotFound = new("workflow_not_found", 404, 5);
    private static readonly ErrorCode Exists = new("schedule_exists", 409, 6);
    private static readonly ErrorCode Full = new("schedule_limit_reached", 409, 6);

    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("schedule");

    public static ProtocolError NoWorkflow { get; } = new(WorkflowNotFound, "The workflow does not exist.");

    public static ProtocolError Taken { get; } = new(Exists, "There is a schedule with this id.");

    public static ProtocolError Body(string message, string? field = null) => new(InvalidBody, message, field is null ? null : new() { ["field"] = field });

    public static ProtocolError Cron(string message) => new(InvalidCron, message, new() { ["field"] = "cron" });

    public static ProtocolError Timezone() => new(InvalidTimezone, "'timezone' must be the name of an IANA time zone.", new() { ["field"] = "timezone" });

    public static ProtocolError LimitReached(long limit) => new(Full, $"A tenant may have at most {limit} schedules.");
}
