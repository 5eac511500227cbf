using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>A piece of text that a node has produced while it was being executed (spec/runs-streams-replay.md 6.3).</summary>
/// <param name="Meta">Closed object; null = none.</param>
internal sealed record OutputChunk(string Node, string Chunk, bool IsLast, JsonElement? Meta) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>What an attempt has streamed, so that one that starts over after a crash does not repeat it.</summary>
/// <param name="Length">Characters.</param>
/// <param name="IsComplete">True when the last chunk is among them.</param>
internal sealed record StreamedText(int Length, bool IsComplete)
{
    public static StreamedText Add(StreamedText? before, OutputChunk chunk) => new((before?.Length ?? 0) + chunk.Chunk.Length, chunk.IsLast);
}

/// <summary>An event of an attempt that is still being executed, addressed like its result.</summary>
internal sealed record NodeEmission(string NodeId, int Attempt, int Iteration, int Turn, RunEventBody Body)
{
    public static NodeEmission Of(NodeContext context, RunEventBody body) => new(context.Node.Id, context.Attempt, context.Iteration, context.Turn, body);
}
