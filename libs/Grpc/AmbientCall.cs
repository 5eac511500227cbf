using Grpc.Core;

namespace OpenWop.Micro.Grpc;

/// <summary>
/// The server call that the current code runs in. Calls made from inside it inherit its deadline and its cancellation, over the
/// network and in process alike.
/// </summary>
public static class AmbientCall
{
    private static readonly AsyncLocal<IAmbientCall?> Flow = new();

    /// <summary>The call whose handler is running here, or null: outside of any call, or after the handler has ended.</summary>
    public static ServerCallContext? Current => Flow.Value?.Active;

    /// <summary>
    /// Takes the current asynchronous flow out of the call. For work that a handler starts and that outlives the call: without this,
    /// what it calls while the handler still runs would be cancelled with the call.
    /// </summary>
    public static void Leave() => Flow.Value = null;

    /// <summary>Enters a call for the rest of the current asynchronous method and everything that it calls.</summary>
    internal static void Enter(IAmbientCall call) => Flow.Value = call;

    /// <summary>The earlier of the caller's own deadline and the one of the ambient call.</summary>
    internal static DateTime? EarlierDeadline(DateTime? own, ServerCallContext? ambient)
        => ambient is not null && ambient.Deadline < (own ?? DateTime.MaxValue) ? ambient.Deadline : own;
}

/// <summary>A running server call. Code that was started by a handler keeps the reference, so it has to tell when it is over.</summary>
internal interface IAmbientCall
{
    /// <summary>The context while the handler runs, afterwards null.</summary>
    ServerCallContext? Active { get; }
}
