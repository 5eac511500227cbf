using Grpc.Core;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Errors;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Storage;
using RunsClient = OpenWop.Micro.Contracts.Runs.V1.Runs.RunsClient;

namespace OpenWop.Micro.Runs.Forwarding;

/// <summary>
/// Lets any instance accept any command, while only the owner of a run's shard carries it out:
/// <list type="number">
/// <item>The shard is ours: here. If it moves on before the command is decided, nothing has been written, and we look again.</item>
/// <item>The shard is another's: there, once. The command is marked, and a marked command is never sent on: who does not own the
/// shard either (any more, or yet) waits a moment and then answers that it has moved, and the sender looks again.</item>
/// <item>The shard is nobody's, or its owner cannot be reached: somebody takes it over within the lease time. We wait, looking with
/// growing pauses.</item>
/// <item>Nobody did in time: the caller is told to come back (503).</item>
/// </list>
/// A command is sent again only when it certainly was not carried out: it reached nobody, or the answer says that the run has moved. One
/// whose connection broke is repeated only if it may be carried out twice.
/// </summary>
internal sealed partial class CommandRouter(
    OwnedShards owned, ShardDirectory directory, PeerChannels peers, InstanceAddress self, LeaseSettings leases, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<CommandRouter> logger)
{
    /// <summary>Metadata that marks a forwarded command.</summary>
    public const string ForwardedHeader = "openwop-forwarded";

    /// <summary>Trailer of the answer that the command was not carried out because the shard is not owned here.</summary>
    public const string MovedTrailer = "openwop-moved";

    /// <summary>How long a forwarded command waits for a take-over that its sender has heard of before us.</summary>
    private static readonly TimeSpan HandOverPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>Beyond the lease time: the moment until those who take over have noticed and loaded the runs.</summary>
    private static readonly TimeSpan TakeOverMargin = TimeSpan.FromSeconds(3);

    /// <summary>How long a process that shuts down waits for another that takes over.</summary>
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(2);

    /// <summary>What is left of the caller's patience for the answer.</summary>
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Carries out a command on a run.</summary>
    /// <param name="here">Carries it out in this process.</param>
    /// <param name="there">Asks another instance to.</param>
    /// <param name="repeatable">The command may be carried out twice without anybody noticing.</param>
    public Task<TReply> RunAsync<TReply>(
        string runId,
        ServerCallContext context,
        Func<Task<TReply>> here,
        Func<RunsClient, CallOptions, AsyncUnaryCall<TReply>> there,
        bool repeatable = false) =>
        RouteAsync(RunIds.ShardOf(runId) ?? throw new ProtocolException(RunErrors.NotFound), context, here, there, repeatable);

    /// <summary>Carries out what any owner of a shard can do: making a run.</summary>
    public Task<TReply> CreateAsync<TReply>(
        ServerCallContext context, Func<Task<TReply>> here, Func<RunsClient, CallOptions, AsyncUnaryCall<TReply>> there, bool repeatable) =>
        RouteAsync(shard: null, context, here, there, repeatable);

    private async Task<TReply> RouteAsync<TReply>(
        int? shard, ServerCallContext context, Func<Task<TReply>> here, Func<RunsClient, CallOptions, AsyncUnaryCall<TReply>> there, bool repeatable)
    {
        var started = clock.GetTimestamp();
        var isForwarded = context.RequestHeaders.Get(ForwardedHeader) is not null;
        var patience = isForwarded ? HandOverPatience : PatienceOf(context);
        for (var pause = FirstPause; ; pause = pause * 2 < LastPause ? pause * 2 : LastPause)
        {
            // 1. Here.
            if (owned.Owns(shard))
            {
                try
                {
                    return await here();
                }
                catch (RunMovedException)
                {
                    // Not carried out.
                }
            }

            // 2. There.
            else if (!isForwarded && await FindOwnerAsync(shard, context.CancellationToken) is { } owner)
            {
                try
                {
                    return await there(new RunsClient(peers.Get("runs", new Uri(owner.Address))), OptionsOf(context));
                }
                catch (RpcException exception) when (IsRefusal(exception, repeatable))
                {
                    Log.NotThere(logger, shard, owner.Address, exception.Status.Detail);
                    directory.Forget(owner);
                }
            }

            // 4. In vain.
            var waited = clock.GetElapsedTime(started);
            if (waited + pause > patience || (waited > ShutdownPatience && lifetime.ApplicationStopping.IsCancellationRequested))
            {
                if (!isForwarded)
                    throw new RunMovedException();

                var moved = RunErrors.Unavailable.ToRpcException();
                moved.Trailers.Add(MovedTrailer, "1");
                throw moved;
            }

            // 3. Wait for a take-over.
            await Task.Delay(pause, clock, context.CancellationToken);
        }
    }

    /// <summary>Another instance that owns the shard and can be called.</summary>
    private async Task<ShardOwner?> FindOwnerAsync(int? shard, CancellationToken cancellationToken)
    {
        var owner = shard is { } number ? await directory.FindAsync(number, cancellationToken) : await directory.FindAnyAsync(cancellationToken);
        if (owner is not null && owner.Address != InstanceAddress.None && owner.Address != self.Find())
            return owner;

        // Ours according to the table: on its way in or out. Or of a process that nobody can call.
        if (owner is not null)
            directory.Forget(owner);

        return null;
    }

    /// <summary>The caller's credential and deadline go with the command.</summary>
    private static CallOptions OptionsOf(ServerCallContext context)
    {
        var headers = new Metadata { { ForwardedHeader, "1" } };
        if (context.RequestHeaders.GetValue("authorization") is { } authorization)
            headers.Add("authorization", authorization);

        return new CallOptions(headers, context.Deadline == DateTime.MaxValue ? null : context.Deadline, context.CancellationToken);
    }

    /// <summary>Whether the command was not carried out there, or may be carried out again.</summary>
    private static bool IsRefusal(RpcException exception, bool repeatable) =>
        RpcErrors.ReachedNobody(exception)
        || exception.Trailers.Get(MovedTrailer) is not null
        || (repeatable && exception.StatusCode == StatusCode.Unavailable);

    private TimeSpan PatienceOf(ServerCallContext context)
    {
        var patience = leases.Duration + TakeOverMargin;
        if (context.Deadline == DateTime.MaxValue)
            return patience;

        // The deadline is counted from the moment when the call came in, by the clock that the transport uses.
        var left = context.Deadline - DateTime.UtcNow - AnswerMargin;
        return left < patience ? left : patience;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "Shard {Shard} was not at {Address} ({Reason}); looking again")]
        public static partial void NotThere(ILogger logger, int? shard, string address, string reason);
    }
}
