using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>Refusals of the service.</summary>
internal static class ScheduleErrors
{
    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("schedule");

    public static ProtocolError NoWorkflow { get; } = new(ErrorCodes.WorkflowNotFound, "The workflow does not exist.");

    public static ProtocolError Taken { get; } = new(ErrorCodes.ScheduleExists, "There is a schedule with this id.");

    public static ProtocolError Body(string message, string? field = null) => ProtocolError.Validation(message, field);

    public static ProtocolError Cron(string message) => new(ErrorCodes.InvalidCron, message, new() { ["field"] = "cron" });

    public static ProtocolError Timezone() => new(ErrorCodes.InvalidTimezone, "'timezone' must be the name of an IANA time zone.", new() { ["field"] = "timezone" });

    public static ProtocolError LimitReached(long limit) => new(ErrorCodes.ScheduleLimitReached, $"A tenant may have at most {limit} schedules.");
}
