using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>
/// What callers and handlers rely on. Every case runs over the network and in process, with the same expectations: that is the promise of
/// the in-process channel.
/// </summary>
public abstract partial class CallCases
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private protected abstract bool InProcess { get; }

    private protected Task<CallHost> StartAsync(Action<WebApplicationBuilder>? configure = null) => CallHost.StartAsync(InProcess, configure);

    private protected static Payload PayloadOf(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };

    private protected static Task UntilCancelledAsync(ServerCallContext context)
        => Task.Delay(Timeout.Infinite, context.CancellationToken).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}

public sealed class NetworkCallTests : CallCases
{
    private protected override bool InProcess => false;
}

public sealed class InProcessCallTests : CallCases
{
    private protected override bool InProcess => true;
}
