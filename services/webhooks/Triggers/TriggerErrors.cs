using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Refusals.</summary>
internal static class TriggerErrors
{
    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("trigger");

    public static ProtocolError NoFiring { get; } = ProtocolError.NotFound("firing");

    public static ProtocolError NoWorkflow { get; } = new(ErrorCodes.WorkflowNotFound, "The workflow does not exist.");

    public static ProtocolError NotFailed { get; } = new(ErrorCodes.DeliveryNotDead, "Only a firing that has failed can be replayed.");

    public static ProtocolError LimitReached(long limit) => new(ErrorCodes.TriggerLimitReached, $"A tenant may have at most {limit} triggers.");
}
