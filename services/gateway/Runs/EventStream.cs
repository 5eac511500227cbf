using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Authentication;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>
/// One subscription to the frames of a run, for REST and gRPC. Opening it waits for the engine's word that the run exists, so that a
/// refusal is still an error answer and not a broken stream.
/// </summary>
internal sealed class EventStream : IDisposable
{
    private readonly AsyncServerStreamingCall<FrameBatch> _call;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationToken _stopping;
    private Task<bool> _next;

    private EventStream(AsyncServerStreamingCall<FrameBatch> call, CancellationTokenSource ending, CancellationToken stopping)
    {
        _call = call;
        _ending = ending;
        _stopping = stopping;
        _next = call.ResponseStream.MoveNext(ending.Token);
    }

    /// <summary>The frames that the last <see cref="NextAsync"/> brought.</summary>
    public IReadOnlyList<Frame> Frames => _call.ResponseStream.Current.Frames;

    /// <summary>A task that ends when <see cref="NextAsync"/> would not have to wait; it fails when the stream does.</summary>
    public Task Ready => _next;

    /// <param name="stopping">The process is shutting down: the stream ends early, and the client resumes elsewhere.</param>
    /// <param name="cancellationToken">The subscriber is gone.</param>
    /// <exception cref="RpcException">The engine refuses the subscription.</exception>
    public static async Task<EventStream> OpenAsync(
        Contracts.Runs.V1.Runs.RunsClient runs, ApiCaller caller, StreamFramesRequest request, CancellationToken stopping, CancellationToken cancellationToken)
    {
        var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        var stream = new EventStream(
            runs.StreamFrames(request, caller.CallOptions(RunOperations.Service, within: null, ending.Token)), ending, stopping);
        try
        {
            // The first batch comes at once, if need be an empty one.
            await stream._next;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the next frames. False when the run is over, or this process is about to be.</summary>
    /// <exception cref="RpcException">The stream broke.</exception>
    public async ValueTask<bool> NextAsync()
    {
        try
        {
            return await _next;
        }
        catch (Exception exception) when (_stopping.IsCancellationRequested && exception is RpcException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Asks for the frames after the current ones, which are invalid from here on.</summary>
    public void Advance() => _next = _call.ResponseStream.MoveNext(_ending.Token);

    public void Dispose()
    {
        _call.Dispose();
        _ending.Dispose();
        // Nobody may be waiting for the last read any more: its failure is no news.
        _ = _next.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }
}
