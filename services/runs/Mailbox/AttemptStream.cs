using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>
/// Text that an attempt produces, on its way into the log. A chunk does not wait for its commit: what comes while one is under way goes
/// into the next one together. Only so many may be on the way.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A semaphore without a wait handle holds nothing, and late chunks may still release it.")]
internal sealed class AttemptStream(NodeContext context, Func<NodeEmission, Action, bool> emit)
{
    /// <summary>Chunks that are not durable yet.</summary>
    private const int Window = 128;

    private readonly SemaphoreSlim window = new(Window);

    /// <summary>Adds <c>output.chunk</c> to the log; returns when there is room for the next one.</summary>
    /// <exception cref="RunMovedException">The run is not here any more.</exception>
    public async ValueTask WriteAsync(string chunk, bool isLast, JsonElement? meta, CancellationToken cancellationToken)
    {
        await window.WaitAsync(cancellationToken);
        if (!emit(NodeEmission.Of(context, new OutputChunk(context.Node.Id, chunk, isLast, meta)), () => window.Release()))
            throw new RunMovedException();
    }
}
