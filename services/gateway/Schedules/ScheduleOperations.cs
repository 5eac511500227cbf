using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Schedules;

/// <summary>The operations of schedules; rows of the authoring plane's table.</summary>
internal static class ScheduleOperations
{
    public static readonly Operation Create = new("createSchedule", HttpMethods.Post, "/api/schedules")
    {
        Scopes = [ScopeNames.SchedulesManage],
        Summary = "Makes a schedule: runs of a workflow by the clock.",
        Body = "CreateScheduleRequest",
        Successes = [new(201, "The schedule.", "Schedule")],
        Errors = [ErrorCodes.InvalidCron, ErrorCodes.InvalidTimezone, ErrorCodes.WorkflowNotFound, ErrorCodes.ScheduleExists, ErrorCodes.ScheduleLimitReached],
    };

    public static readonly Operation List = new("listSchedules", HttpMethods.Get, "/api/schedules")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The schedules of the organization.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "SchedulePage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation Get = new("getSchedule", HttpMethods.Get, "/api/schedules/{id}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A schedule.",
        Successes = [new(200, "The schedule.", "Schedule")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Update = new("updateSchedule", HttpMethods.Patch, "/api/schedules/{id}")
    {
        Scopes = [ScopeNames.SchedulesManage],
        Summary = "Changes the members that the body has; null takes one away.",
        Body = "UpdateScheduleRequest",
        Successes = [new(200, "The schedule.", "Schedule")],
        Errors = [ErrorCodes.InvalidCron, ErrorCodes.InvalidTimezone, ErrorCodes.NotFound, ErrorCodes.WorkflowNotFound],
    };

    public static readonly Operation Delete = new("deleteSchedule", HttpMethods.Delete, "/api/schedules/{id}")
    {
        Scopes = [ScopeNames.SchedulesManage],
        Summary = "Removes a schedule and its history.",
        Successes = [new(204, "The schedule is gone.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Preview = new("previewSchedule", HttpMethods.Get, "/api/schedules/{id}/preview")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The next slots of a schedule.",
        Parameters = ["Count"],
        Successes = [new(200, "The slots.", "SlotList")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation ListFires = new("listScheduleFires", HttpMethods.Get, "/api/schedules/{id}/fires")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "What became of the slots of a schedule, newest first.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "FirePage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation Tick = new("tick", HttpMethods.Post, "/api/admin/tick")
    {
        Scopes = [ScopeNames.AdminTick],
        Summary = "Makes the runs of what is due, as the scheduler does by itself.",
        Body = "TickRequest",
        BodyRequired = false,
        Successes = [new(200, "What was due.", "TickResult")],
    };
}
