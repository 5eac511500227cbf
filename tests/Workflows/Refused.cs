using Grpc.Core;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Workflows.Tests;

/// <summary>Calls that must be refused.</summary>
internal static class Refused
{
    /// <summary>The error that a call is refused with, as it arrives at a client.</summary>
    public static async Task<ProtocolError> ByAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).ToProtocolError();
}
