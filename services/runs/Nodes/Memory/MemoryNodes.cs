using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Memory;

/// <summary>
/// <c>core.memory.write</c>: remembers <c>content</c> beyond the run. Completes with <c>{memoryRef, memoryId}</c>.
/// </summary>
internal sealed class MemoryWriteNode : INodeHandler
{
    private const long LongestTtlMs = 10L * 365 * 24 * 60 * 60 * 1000;

    public string TypeId => "core.memory.write";

    // It runs once and is recorded: a replay repeats what was written and writes nothing.
    public bool IsPure => false;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var memoryRef = MemoryParameters.Ref(parameters, context);
        var content = parameters.Find("content");
        if (content is null)
            parameters.Reject("content", "must be given");

        var tags = MemoryParameters.Tags(parameters);
        var ttl = parameters.Integer("ttlMs", 1, LongestTtlMs, 0);
        var expiresAt = ttl > 0 ? context.Memory.Now.AddMilliseconds(ttl) : MemoryParameters.Time(parameters, "expiresAt");
        if (parameters.HasFailed(out var invalid))
            return ValueTask.FromResult(invalid);

        var text = content!.Value.ValueKind == JsonValueKind.String ? content.Value.GetString()! : content.Value.GetRawText();
        var (memoryId, refusal) = context.Memory.Put(memoryRef, text, tags, expiresAt);
        return ValueTask.FromResult<NodeOutcome>(refusal is not null ? new NodeOutcome.Failed(refusal) : new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WriteString("memoryRef", memoryRef);
            writer.WriteString("memoryId", memoryId);
        })));
    }
}

/// <summary>
/// <c>core.memory.read</c>: what is remembered under <c>memoryRef</c>, newest first, or the one entry <c>memoryId</c>. Completes with
/// <c>{entries}</c>; what does not exist, or belongs to somebody else, is an empty list.
/// </summary>
internal sealed class MemoryReadNode : INodeHandler
{
    public string TypeId => "core.memory.read";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var memoryRef = MemoryParameters.Ref(parameters, context);
        var memoryId = parameters.String("memoryId");
        var tag = parameters.String("tag");
        var limit = (int)parameters.Integer("limit", 0, MemoryRules.MaxListed, 0);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        IReadOnlyList<MemoryEntry> entries = memoryId is null ? await context.Memory.ListAsync(memoryRef, limit, tag, cancellationToken)
            : await context.Memory.GetAsync(memoryRef, memoryId, cancellationToken) is { } entry ? [entry]
            : [];
        return new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WritePropertyName("entries");
            MemoryParameters.Write(writer, entries);
        }));
    }
}

/// <summary><c>core.memory.delete</c>: forgets the entry <c>memoryId</c>. Completes with nothing, whether or not there was one.</summary>
internal sealed class MemoryDeleteNode : INodeHandler
{
    public string TypeId => "core.memory.delete";

    public bool IsPure => false;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var memoryRef = MemoryParameters.Ref(parameters, context);
        var memoryId = parameters.RequiredString("memoryId");
        if (parameters.HasFailed(out var invalid))
            return ValueTask.FromResult(invalid);

        context.Memory.Delete(memoryRef, memoryId);
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.EmptyObject));
    }
}

/// <summary>Reads the parameters of nodes that remember.</summary>
internal static class MemoryParameters
{
    /// <summary>The memory that is meant: <c>memoryRef</c>, or that of the agent who works on the node.</summary>
    public static string Ref(NodeParameters parameters, NodeContext context)
    {
        var memoryRef = parameters.String("memoryRef") ?? RefOfAgent(context);
        if (!MemoryRules.IsRef(memoryRef))
            parameters.Reject("memoryRef", $"must be a path of at most {MemoryRules.MaxRefLength} letters, digits and '-_.:@/'");

        return memoryRef ?? "";
    }

    public static string? RefOfAgent(NodeContext context) => context.Node.Agent?.StringMember("memoryRef");

    public static IReadOnlyList<string> Tags(NodeParameters parameters)
    {
        if (parameters.Find("tags") is not { } tags)
            return [];

        if (tags.ValueKind == JsonValueKind.Array && tags.EnumerateArray().All(tag => tag.ValueKind == JsonValueKind.String))
            return [.. tags.EnumerateArray().Select(tag => tag.GetString()!)];

        parameters.Reject("tags", "must be a list of strings");
        return [];
    }

    public static DateTimeOffset? Time(NodeParameters parameters, string name)
    {
        if (parameters.String(name) is not { } text)
            return null;

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return time;

        parameters.Reject(name, "must be a time such as 2030-01-31T12:00:00Z");
        return null;
    }

    public static void Write(Utf8JsonWriter writer, IEnumerable<MemoryEntry> entries)
    {
        writer.WriteStartArray();
        foreach (var entry in entries)
            entry.Write(writer);

        writer.WriteEndArray();
    }
}
