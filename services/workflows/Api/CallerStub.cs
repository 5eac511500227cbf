using Grpc.Core;

namespace OpenWop.Micro.Workflows.Api;

internal sealed record CallerStub(string Tenant, string Principal, bool IsTest);

internal static class CallerStubs
{
    public static CallerStub GetCaller(this ServerCallContext _) => new("default", "key:bootstrap", false);
    public static string TenantOf(this ServerCallContext _, string tenant) => tenant.Length > 0 ? tenant : "default";
}
