using Grpc.Core;

namespace OpenWop.Micro.Runs.Api;

internal sealed record CallerStub(string Tenant, string Principal, bool IsTest)
{
    public bool HasScope(string _) => Tenant.Length > 0;
}

internal static class CallerStubs
{
    public static CallerStub GetCaller(this ServerCallContext _) => new("default", "key:bootstrap", false);
}
