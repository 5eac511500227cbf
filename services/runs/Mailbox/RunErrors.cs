using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>Refusals of the engine.</summary>
internal static class RunErrors
{
    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("run");

    /// <summary>The run was there, and was removed after its time.</summary>
    public static ProtocolError Expired(DateTimeOffset at) => new(
        ErrorCodes.RunExpired,
        "The run has ended long ago and was removed.",
        new JsonObject { ["expiredAt"] = Timestamps.Format(at) });

    public static ProtocolError RequestMismatch { get; } = new(
        ErrorCodes.IdempotencyKeyMismatch, "The idempotency key was used for a different request.");

    /// <summary>A test asks for an engine version that this build cannot follow.</summary>
    public static ProtocolError UnsupportedEngine(int version) => new(
        ErrorCodes.UnsupportedForceEngineVersion,
        $"Engine version {version} cannot be forced.",
        new JsonObject { ["min"] = EngineVersions.Oldest, ["max"] = EngineVersions.Current });

    /// <summary>The run follows semantics that this build does not know: it is neither read nor written.</summary>
    public static ProtocolError NewerEngine(int version) => new(
        ErrorCodes.EngineVersionMismatch,
        $"The run was made by engine version {version}, and this is version {EngineVersions.Current}.",
        new JsonObject { ["runEngineVersion"] = version, ["engineVersion"] = EngineVersions.Current });

    public static ProtocolError Terminal(RunState state) => new(
        ErrorCodes.RunTerminal,
        $"The run is {RunSnapshot.StatusOf(state)} and cannot change any more.",
        new JsonObject { ["runStatus"] = RunSnapshot.StatusOf(state) });

    /// <summary>The instance cannot write this run now; a retry finds its owner.</summary>
    public static ProtocolError Unavailable { get; } = new(
        ErrorCodes.ServiceUnavailable,
        "The run cannot be changed right now; try again.",
        new JsonObject { ["retryAfter"] = 1 });
}
