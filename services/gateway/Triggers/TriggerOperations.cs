using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Triggers;

/// <summary>The operations of triggers; rows of the authoring plane's table. What starts runs needs the right to start them.</summary>
internal static class TriggerOperations
{
    private const string Root = "/api/triggers";

    private static readonly string[] Managing = [ScopeNames.WebhooksManage, ScopeNames.RunsCreate];

    public static readonly Operation Create = new("createTrigger", HttpMethods.Post, Root)
    {
        Scopes = Managing,
        Summary = "Makes a trigger: events of runs, or writes to a channel, start runs of a workflow from now on.",
        Body = "CreateTriggerRequest",
        Successes = [new(201, "The trigger.", "Trigger")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.WorkflowNotFound, ErrorCodes.TriggerLimitReached],
    };

    public static readonly Operation List = new("listTriggers", HttpMethods.Get, Root)
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The triggers of the organization.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "TriggerPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation Get = new("getTrigger", HttpMethods.Get, Root + "/{id}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A trigger.",
        Successes = [new(200, "The trigger.", "Trigger")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Update = new("updateTrigger", HttpMethods.Patch, Root + "/{id}")
    {
        Scopes = Managing,
        Summary = "Changes the members that the body has; null takes one away.",
        Body = "UpdateTriggerRequest",
        Successes = [new(200, "The trigger.", "Trigger")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound, ErrorCodes.WorkflowNotFound],
    };

    public static readonly Operation Pause = new("pauseTrigger", HttpMethods.Post, Root + "/{id}/pause")
    {
        Scopes = Managing,
        Summary = "Pauses a trigger. What happens meanwhile starts nothing, also afterwards.",
        Successes = [new(200, "The trigger.", "Trigger")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Resume = new("resumeTrigger", HttpMethods.Post, Root + "/{id}/resume")
    {
        Scopes = Managing,
        Summary = "Ends the pause of a trigger.",
        Successes = [new(200, "The trigger.", "Trigger")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Delete = new("deleteTrigger", HttpMethods.Delete, Root + "/{id}")
    {
        Scopes = Managing,
        Summary = "Removes a trigger. What it still had to start is not started.",
        Successes = [new(204, "The trigger is gone.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ListFirings = new("listFirings", HttpMethods.Get, Root + "/{id}/firings")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "What became of the events of a trigger, newest first.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "FiringPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation ReplayFiring = new("replayFiring", HttpMethods.Post, Root + "/{id}/firings/{deliveryId}/replay")
    {
        Scopes = Managing,
        Summary = "Tries a firing once more that has failed.",
        Successes = [new(202, "The firing.", "Firing")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.DeliveryNotDead],
    };
}
