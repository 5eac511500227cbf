using Grpc.Core;

namespace OpenWop.Micro.Runs.Api;

internal sealed record CallerStub(string Tenant, string Principal, bool IsTest);

internal static class CallerStubs
{
    public static CallerStub GetCaller(this ServerCallContext _) => new("default", "key:bootstrap", false);
}
