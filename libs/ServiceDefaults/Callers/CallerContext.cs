using Grpc.Core;
using OpenWop.Micro.ServiceDefaults.Logging;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>Where a handler finds its caller.</summary>
public static class CallerContext
{
    private static readonly object Key = new();
    private static readonly object ScopeKey = new();

    /// <summary>Who makes this call, as the token proved it.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: the method is open to calls without a token, and this is one.</exception>
    public static Caller GetCaller(this ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.UserState.TryGetValue(Key, out var caller)
            ? (Caller)caller
            : throw new RpcException(new Status(StatusCode.Unauthenticated, "The call carries no internal token."));
    }

    /// <summary>
    /// The tenant that a call is about. A user always acts for its own tenant; a service names the one it acts for in the message.
    /// </summary>
    /// <param name="requested">The tenant named in the message; empty = none.</param>
    /// <exception cref="RpcException">
    /// PERMISSION_DENIED: a user named another tenant. INVALID_ARGUMENT: a service named none.
    /// </exception>
    public static string TenantOf(this ServerCallContext context, string requested)
    {
        var caller = context.GetCaller();
        if (caller.IsService)
        {
            return string.IsNullOrEmpty(requested)
                ? throw new RpcException(new Status(StatusCode.InvalidArgument, "A service has to name the tenant that it acts for."))
                : requested;
        }

        return string.IsNullOrEmpty(requested) || requested == caller.Tenant
            ? caller.Tenant
            : throw new RpcException(new Status(StatusCode.PermissionDenied, "A user acts for its own tenant only."));
    }

    internal static void SetCaller(this ServerCallContext context, Caller caller)
    {
        context.UserState[Key] = caller;
        if (!caller.IsService && context.UserState.TryGetValue(ScopeKey, out var scope))
            ((LogScope)scope).Tenant = caller.Tenant;
    }

    internal static void SetLogScope(this ServerCallContext context, LogScope scope) => context.UserState[ScopeKey] = scope;
}
