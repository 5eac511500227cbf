using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Grpc;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Scheduler.Timing;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>
/// Makes the runs of claimed slots. May be called for the same slot again, here or elsewhere: the engine makes one run of one
/// <see cref="Fire.RequestId"/>.
/// </summary>
/// <remarks>
/// What happens when the process dies: before the run is made, the claimed slot is found by whoever looks after the schedule; after
/// that, it is found as well, and asking the engine once more answers with the run that there is.
/// </remarks>
internal sealed partial class RunMaker(Runs.RunsClient runs, FireStore fires, TimeProvider time, ILogger<RunMaker> logger) : IAsyncDisposable
{
    private const int MaxAtOnce = 64;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    /// <summary>For how long an engine that cannot be reached is tried.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<(string Uid, DateTimeOffset Slot), Task<Fire>> _underWay = new();
    private readonly ConcurrentDictionary<Task, byte> _chains = new();
    private readonly SemaphoreSlim _slots = new(MaxAtOnce);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Whether this process is at the slot already.</summary>
    public bool IsUnderWay(Fire fire) => _underWay.ContainsKey((fire.Uid, fire.Slot));

    /// <summary>Makes the runs of one schedule in the order of their slots, in the background, and until it is done.</summary>
    public void Begin(Schedule schedule, IReadOnlyList<Fire> slots)
    {
        var chain = Task.Run(async () =>
        {
            // Whoever has asked for it need not wait for it.
            AmbientCall.Leave();
            foreach (var slot in slots)
                await MakeUntilSettledAsync(schedule, slot);
        });
        _chains.TryAdd(chain, 0);
        chain.ContinueWith(
            done =>
            {
                _chains.TryRemove(done, out _);
                if (done.Exception is { } exception)
                    Log.Crashed(logger, exception.InnerException ?? exception, schedule.Id);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Tries once to make the run of a slot; if that cannot be decided now, it goes on in the background.</summary>
    /// <returns>The slot as it is after the attempt.</returns>
    public async Task<Fire> MakeAsync(Schedule schedule, Fire fire)
    {
        var after = await TryAsync(schedule, fire);
        if (!after.IsSettled)
            Begin(schedule, [after]);

        return after;
    }

    /// <summary>Lets what is under way come to an end, and begins nothing more. What is left over is found after the next start.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll([.. _chains.Keys, .. _underWay.Values]).WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        _slots.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task MakeUntilSettledAsync(Schedule schedule, Fire fire)
    {
        while (!_stopping.IsCancellationRequested)
        {
            fire = await TryAsync(schedule, fire);
            if (fire.IsSettled)
                return;

            await Task.Delay(RetryAfter(fire.Attempts), time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whoever asks for the same slot meanwhile waits for the same attempt.</summary>
    private Task<Fire> TryAsync(Schedule schedule, Fire fire)
    {
        var key = (fire.Uid, fire.Slot);
        var mine = new TaskCompletionSource<Fire>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempt = _underWay.GetOrAdd(key, mine.Task);
        return attempt == mine.Task ? Lead() : attempt;

        async Task<Fire> Lead()
        {
            try
            {
                await _slots.WaitAsync();
                try
                {
                    mine.SetResult(await AttemptAsync(schedule, fire));
                }
                finally
                {
                    _slots.Release();
                }
            }
            catch (Exception exception)
            {
                mine.SetException(exception);
            }
            finally
            {
                _underWay.TryRemove(key, out _);
            }

            return await mine.Task;
        }
    }

    private async Task<Fire> AttemptAsync(Schedule schedule, Fire fire)
    {
        Fire after;
        try
        {
            after = await MakeRunAsync(schedule, fire);
        }
        catch (RpcException exception)
        {
            var error = exception.ToProtocolError();
            var late = time.GetUtcNow() - fire.Slot > GiveUpAfter;
            var isFinal = error.Code.HttpStatus < 500 && error.Code != ErrorCodes.RateLimited;
            after = fire with { Attempts = fire.Attempts + 1, Error = $"{error.Code.Name}: {error.Message}" };
            if (isFinal || late)
                after = after with { Status = FireStatus.Failed, SettledAt = time.GetUtcNow() };
            Log.Refused(logger, fire.ScheduleId, fire.Owner.Tenant, fire.Slot, after.Error, after.IsSettled);
        }

        await fires.NoteAsync(new FireOutcome(after, after.IsSettled ? null : time.GetUtcNow() + RetryAfter(after.Attempts) + FireStore.Patience));
        return after;
    }

    private async Task<Fire> MakeRunAsync(Schedule schedule, Fire fire)
    {
        var actingFor = new ActingFor { Tenant = fire.Owner.Tenant, Test = fire.Owner.IsTest, Principal = schedule.Principal ?? "" };
        if (schedule.Spec.Overlap != OverlapPolicy.Allow && fire.Status == FireStatus.Pending)
        {
            if (await IsHeldBackAsync(schedule, fire, actingFor))
                return fire with { Status = FireStatus.Skipped, SettledAt = time.GetUtcNow(), Error = "The run before is not over." };

            // From here on a run may exist, which must not be taken for the one before by another attempt.
            await fires.StartAsync(fire, CancellationToken.None);
        }

        var reply = await runs.CreateRunAsync(
            new CreateRunRequest { Body = BodyOf(schedule), RequestId = fire.RequestId, ActingFor = actingFor, Cause = new RunCause { CausationId = fire.RequestId } },
            deadline: time.GetUtcNow().UtcDateTime + CallTimeout);
        return fire with { Status = FireStatus.Fired, RunId = reply.RunId, Error = null, SettledAt = time.GetUtcNow() };
    }

    private async Task<bool> IsHeldBackAsync(Schedule schedule, Fire fire, ActingFor actingFor)
    {
        if (await fires.PreviousRunAsync(fire, CancellationToken.None) is not { } previous)
            return false;

        try
        {
            if (schedule.Spec.Overlap == OverlapPolicy.CancelPrevious)
            {
                await runs.CancelRunAsync(
                    new CancelRunRequest { RunId = previous, Reason = "The next slot of its schedule has come.", ActingFor = actingFor },
                    deadline: time.GetUtcNow().UtcDateTime + CallTimeout);
                return false;
            }

            var run = await runs.GetRunAsync(new GetRunRequest { RunId = previous, ActingFor = actingFor }, deadline: time.GetUtcNow().UtcDateTime + CallTimeout);
            return !RunStatuses.IsTerminal(JsonElement.Parse(run.Snapshot.Span).GetProperty("status").GetString()!);
        }
        catch (RpcException exception) when (exception.ToProtocolError().Code.HttpStatus is >= 400 and < 500)
        {
            // It is over, or gone.
            return false;
        }
    }

    /// <summary>What <c>POST /v1/runs</c> would be sent.</summary>
    private static ByteString BodyOf(Schedule schedule)
    {
        var spec = schedule.Spec;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("workflowId"u8, spec.WorkflowId);
            if (spec.Payload.ValueKind == JsonValueKind.Object)
            {
                writer.WritePropertyName("inputs"u8);
                spec.Payload.WriteTo(writer);
            }
            else if (spec.Payload.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
            {
                // As authors' own runs have it: any JSON is an input.
                writer.WriteStartObject("inputs"u8);
                writer.WritePropertyName(TriggerInput.Member);
                spec.Payload.WriteTo(writer);
                writer.WriteEndObject();
            }

            if (spec.Options.ValueKind == JsonValueKind.Object)
            {
                foreach (var option in spec.Options.EnumerateObject())
                    option.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory);
    }

    private static TimeSpan RetryAfter(int attempts) => attempts >= 8 ? LastRetry : TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << attempts));

    private static partial class Log
    {
        [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "Schedule {ScheduleId} of {Tenant}: no run for slot {Slot}: {Reason} (final: {IsFinal}).")]
        public static partial void Refused(ILogger logger, string scheduleId, string tenant, DateTimeOffset slot, string reason, bool isFinal);

        [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "Schedule {ScheduleId}: making its runs ended unexpectedly; they are found again.")]
        public static partial void Crashed(ILogger logger, Exception exception, string scheduleId);
    }
}
