using Grpc.Core;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Workflows.Store;

/// <summary>
/// Whose definitions a call is about. What test keys store is apart from what live keys store, as their runs are: neither can read or
/// change the other's (spec/http-core.md 5.2). Seeded definitions are there for both.
/// </summary>
internal static class DefinitionOwner
{
    /// <summary>No name of a tenant has a tilde.</summary>
    private const string TestSuffix = "~test";

    /// <param name="tenant">The tenant named in the message, by services only.</param>
    /// <param name="isTest">Whether a service acts for the test mode; the mode of a key is its own.</param>
    public static string Of(ServerCallContext context, string tenant = "", bool isTest = false)
    {
        var caller = context.GetCaller();
        var name = context.TenantOf(tenant);
        return (caller.IsService ? isTest : caller.IsTest) ? name + TestSuffix : name;
    }
}
