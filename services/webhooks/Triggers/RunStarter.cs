using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Webhooks.Subscriptions;
using OpenWop.Micro.Webhooks.Telemetry;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>
/// Starts the runs of firings, as one of any number of workers.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>A round begins when something was written, a run was started, or the next firing is due.</item>
/// <item>It claims what is due, as much as may be under way at a time.</item>
/// <item>The engine is asked for a run, with a request id made of trigger and event: it makes one, however often it is asked.</item>
/// <item>The outcome is stored. A refusal is final; an engine that cannot be reached is asked again, for about a day.</item>
/// </list>
/// A process that dies leaves its claims to time: whoever claims them next asks again, and gets the run that there is.
/// </remarks>
internal sealed partial class RunStarter : BackgroundService
{
    /// <summary>Topic that tells workers of new firings.</summary>
    public const string Topic = "webhooks/firings";

    private const int MaxAtOnce = 32;

    /// <summary>With the waits between them, about a day.</summary>
    private const int MaxAttempts = 2_900;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Task, bool> work = new();
    private readonly Bell bell = new(isRung: true);
    private readonly FiringStore firings;
    private readonly Runs.RunsClient runs;
    private readonly IEventBus bus;
    private readonly WebhookMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger<RunStarter> logger;
    private readonly ITimer timer;
    private int underWay;

    public RunStarter(FiringStore firings, Runs.RunsClient runs, IEventBus bus, WebhookMetrics metrics, TimeProvider time, ILogger<RunStarter> logger)
    {
        (this.firings, this.runs, this.bus, this.metrics, this.time, this.logger) = (firings, runs, bus, metrics, time, logger);
        timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>There is a run to start.</summary>
    public void Wake() => bell.Ring();

    /// <summary>Lets what is under way come to its end.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(work.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        timer.Dispose();
        bell.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(StartAllAsync(stoppingToken), ListenAsync(stoppingToken));

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await bus.SubscribeAsync(Topic, stoppingToken);
        await foreach (var _ in subscription.ReadAllAsync(stoppingToken))
            Wake();
    }

    /// <summary>1.</summary>
    private async Task StartAllAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await bell.WaitAsync(stoppingToken);
            var pause = PauseAfterFailure;
            try
            {
                pause = await RoundAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.RoundFailed(logger, exception);
            }

            timer.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>2. Returns how long the next round may wait.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var free = MaxAtOnce - Volatile.Read(ref underWay);
        if (free == 0 || await firings.NextDueAsync(cancellationToken) is not { } dueAt)
            return LongestPause;

        if (dueAt > now)
            return dueAt - now < LongestPause ? dueAt - now + TimeSpan.FromMilliseconds(1) : LongestPause;

        foreach (var claim in await firings.ClaimAsync(now, free, cancellationToken))
        {
            Interlocked.Increment(ref underWay);
            var task = Task.Run(() => StartAsync(claim), CancellationToken.None);
            work[task] = true;
            _ = task.ContinueWith(done => work.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        Wake();
        return LongestPause;
    }

    private async Task StartAsync(FiringClaim claim)
    {
        try
        {
            var outcome = await AttemptAsync(claim);
            await firings.SettleAsync(outcome);
            metrics.Fired(outcome.After?.Status ?? FiringStatus.Skipped);
        }
        catch (Exception exception)
        {
            Log.StartFailed(logger, exception, claim.Firing.TriggerId, claim.Firing.Id);
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
            Wake();
        }
    }

    /// <summary>3. and 4.</summary>
    private async Task<FiringOutcome> AttemptAsync(FiringClaim claim)
    {
        var (firing, trigger, _) = claim;
        if (trigger is null)
            return new FiringOutcome(claim, After: null, RetryAt: null);

        if (trigger.Status != SubscriptionStatus.Active)
            return Settled(claim, firing with { Status = FiringStatus.Skipped, Reason = "The trigger is paused." });

        try
        {
            var run = await runs.CreateRunAsync(RequestOf(trigger, firing), deadline: time.GetUtcNow().UtcDateTime + CallTimeout);
            return Settled(claim, firing with { Status = FiringStatus.Started, RunId = run.RunId, Reason = null, Attempts = firing.Attempts + 1 });
        }
        catch (RpcException exception)
        {
            var error = exception.ToProtocolError();
            var after = firing with { Attempts = firing.Attempts + 1, Reason = $"{error.Code.Name}: {error.Message}" };
            var isFinal = (error.Code.HttpStatus < 500 && error.Code != ErrorCodes.RateLimited) || after.Attempts >= MaxAttempts;
            Log.Refused(logger, trigger.Id, trigger.Owner.Tenant, firing.Id, after.Reason, isFinal);
            return isFinal
                ? Settled(claim, after with { Status = FiringStatus.Failed })
                : new FiringOutcome(claim, after, time.GetUtcNow() + RetryAfter(after.Attempts));
        }
    }

    private FiringOutcome Settled(FiringClaim claim, Firing after) => new(claim, after with { SettledAt = time.GetUtcNow() }, RetryAt: null);

    private static CreateRunRequest RequestOf(Trigger trigger, Firing firing) => new()
    {
        Body = BodyOf(trigger, firing),
        RequestId = firing.RequestId,
        ActingFor = new ActingFor { Tenant = trigger.Owner.Tenant, Test = trigger.Owner.IsTest, Principal = trigger.Principal },
        Cause = new RunCause { CausationId = firing.Id, Lineage = { firing.Lineage, trigger.Id } },
    };

    /// <summary>What <c>POST /v1/runs</c> would be sent.</summary>
    private static ByteString BodyOf(Trigger trigger, Firing firing)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("workflowId"u8, trigger.Spec.WorkflowId);
            writer.WritePropertyName("inputs"u8);
            EventInputs.Write(writer, trigger.Spec.Inputs, firing);
            if (trigger.Spec.Tags.Count > 0)
            {
                writer.WriteStartArray("tags"u8);
                foreach (var tag in trigger.Spec.Tags)
                    writer.WriteStringValue(tag);
                writer.WriteEndArray();
            }

            writer.WriteStartObject("metadata"u8);
            writer.WriteStartObject("trigger"u8);
            writer.WriteString("source"u8, trigger.Spec.Channel is null ? "event"u8 : "channel"u8);
            writer.WriteString("subscriptionId"u8, trigger.Id);
            writer.WriteString("deliveryId"u8, firing.Id);
            writer.WriteString("sourceRunId"u8, firing.SourceRunId);
            writer.WriteNumber("sourceSequence"u8, firing.Sequence);
            writer.WriteString("receivedAt"u8, Trigger.Format(firing.CreatedAt));
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory);
    }

    private static TimeSpan RetryAfter(int attempts) => attempts >= 8 ? LastRetry : TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << attempts));

    private static partial class Log
    {
        [LoggerMessage(EventId = 5301, Level = LogLevel.Error, Message = "A round of triggers failed.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(EventId = 5302, Level = LogLevel.Error, Message = "Trigger {TriggerId}: firing {FiringId} ended unexpectedly; it is found again.")]
        public static partial void StartFailed(ILogger logger, Exception exception, string triggerId, string firingId);

        [LoggerMessage(EventId = 5303, Level = LogLevel.Warning, Message = "Trigger {TriggerId} of {Tenant}: no run for firing {FiringId}: {Reason} (final: {IsFinal}).")]
        public static partial void Refused(ILogger logger, string triggerId, string tenant, string firingId, string reason, bool isFinal);
    }
}
