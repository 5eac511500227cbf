using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary>
/// Replaces the references in the parameters of a block, once and before its handler sees them. What they give is data: it is never
/// looked at again.
/// </summary>
internal static class BlockParameters
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Returns why the block cannot run with what its parameters refer to; null when it can, or is no block.</summary>
    public static NodeError? Resolve(NodeContext context)
    {
        if (context.Blocks is null || context.Node.Config.ValueKind != JsonValueKind.Object)
            return null;

        NodeError? error = null;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            try
            {
                Templates.Write(writer, context.Node.Config, Find, NodeLimits.MaxInputBytes);
            }
            catch (TemplateTooLargeException tooLarge)
            {
                return new NodeError("value_too_large", $"The params of block '{context.Node.Id}' are too large: {tooLarge.Message}");
            }
        }

        if (error is null)
            context.ReplaceConfig(JsonElement.Parse(buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = 1024 }));
        return error;

        JsonElement Find(string text)
        {
            var (value, problem) = ValueOf(context, text);
            error ??= problem;
            return value;
        }
    }

    private static (JsonElement Value, NodeError? Error) ValueOf(NodeContext context, string text)
    {
        var reference = BlockReference.Parse(text);
        var path = reference.Path.Span;
        switch (reference.Root)
        {
            case ReferenceRoot.Trigger:
                return (BlockReference.Follow(TriggerInput.Unwrap(context.RunInputs), path), null);
            case ReferenceRoot.Variable:
                return (path.Length > 0 && context.Variables.TryGetValue(path[0], out var variable) ? BlockReference.Follow(variable, path[1..]) : default, null);
            case ReferenceRoot.Environment:
                return (default, Unresolved(context, text, "workflows cannot read env"));
            default:
                return context.Blocks?.Value.Find(reference.Head) is not { } id
                    ? (default, Unresolved(context, text, $"no block has the id or name '{reference.Head}'"))
                    : (context.NodeOutputs.TryGetValue(id, out var output) ? BlockReference.Follow(output, path) : default, null);
        }
    }

    private static NodeError Unresolved(NodeContext context, string text, string reason) =>
        new("reference_unresolved", $"Block '{context.Node.Id}' refers to '{text}': {reason}.");
}
