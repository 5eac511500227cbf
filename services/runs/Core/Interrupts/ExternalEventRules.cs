using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// External events (spec/interrupts-state-storage.md 4.3): every member of the requested correlation must equal the posted one,
/// which may hold more; the event stands in the resume value itself or in its <c>eventPayload</c>.
/// </summary>
internal static class ExternalEventRules
{
    public static ProtocolError? Resolve(Draft draft, string nodeId, OpenInterrupt open, Answer answer)
    {
        if (open.Request.Data.Member("correlation") is { ValueKind: JsonValueKind.Object } correlation)
        {
            foreach (var expected in correlation.EnumerateObject())
            {
                if (!Matches(answer.Value, expected) && !(answer.Value.Member("eventPayload") is { } payload && Matches(payload, expected)))
                {
                    return new ProtocolError(
                        ErrorCodes.CorrelationMismatch,
                        $"The event does not match the correlation: '{expected.Name}' differs.",
                        new JsonObject { ["reason"] = "correlation_mismatch", ["field"] = expected.Name });
                }
            }
        }

        return InterruptDecisions.Settle(draft, nodeId, open, answer.Value, answer.Principal);
    }

    private static bool Matches(JsonElement posted, JsonProperty expected) =>
        posted.Member(expected.Name) is { } value && JsonElement.DeepEquals(value, expected.Value);
}
