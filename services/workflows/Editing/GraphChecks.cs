using System.Text.Json;
using OpenWop.Micro.Workflows.Catalogue;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>What keeps a graph from running: missing parameters, and templates that lead nowhere. All blocks are looked at.</summary>
internal sealed class GraphChecks
{
    private readonly Dictionary<string, Block> _byId;
    private readonly Dictionary<string, Block> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Block> _bySlug = new(StringComparer.Ordinal);
    private readonly ILookup<string, string> _sources;

    private GraphChecks(BlockGraph graph)
    {
        _byId = graph.Blocks.ToDictionary(block => block.Id, StringComparer.Ordinal);
        _sources = graph.Connections.ToLookup(edge => edge.Target, edge => edge.Source, StringComparer.Ordinal);
        foreach (var block in graph.Blocks.Where(block => block.Name is not null))
        {
            // With equal names the last one wins.
            _byName[block.Name!] = block;
            _bySlug[Slug(block.Name!)] = block;
        }
    }

    public static IEnumerable<BlockError> Run(BlockGraph graph)
    {
        var checks = new GraphChecks(graph);
        return graph.Blocks.SelectMany(checks.Of);
    }

    /// <summary>A name as templates may write it: lower case, anything but letters and digits as one underscore.</summary>
    internal static string Slug(string name)
    {
        var words = name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ').ToArray();
        return string.Join('_', new string(words).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private IEnumerable<BlockError> Of(Block block)
    {
        if (BlockTypes.Find(block.Type) is not { } type)
        {
            yield return new BlockError(block.Id, block.Type, null, null, $"There is no such block type. Types: {BlockTypes.Names}.");
            yield break;
        }

        foreach (var param in type.Params.Where(param => block.Enabled && param.Required && IsMissing(block, param.Id)))
            yield return new BlockError(block.Id, block.Type, param.Id, null, $"Parameter '{param.Id}' is required.");

        HashSet<string>? upstream = null;
        foreach (var reference in block.Params.Values.SelectMany(TemplateReferences.In))
        {
            if (Problem(reference, () => upstream ??= Upstream(block.Id)) is { } problem)
                yield return new BlockError(block.Id, block.Type, "*", $"{{{{{reference}}}}}", problem);
        }
    }

    private string? Problem(string reference, Func<HashSet<string>> upstream)
    {
        var segments = reference.Split('.', 3);
        var head = segments[0];
        if (head is "env" or "secrets")
            return $"Templates do not read '{head}'.";
        if (head is "trigger" || (head is "vars" && segments.Length > 1))
            return null;
        if ((_byId.GetValueOrDefault(head) ?? _byName.GetValueOrDefault(head) ?? _bySlug.GetValueOrDefault(head)) is not { } target)
            return "The reference names no block.";
        if (!upstream().Contains(target.Id))
            return $"Block '{target.Id}' is not upstream of this one.";

        var type = BlockTypes.Find(target.Type);
        return type is null or { OutputsAreOpen: true } || segments.Length == 1 || type.Outputs.Any(output => output.Name == segments[1])
            ? null
            : $"Block '{target.Id}' does not declare output '{segments[1]}'. "
                + $"Available: {string.Join(", ", type.Outputs.Select(output => output.Name))}";
    }

    /// <summary>All blocks from which a path leads to one; not the block itself, as there are no cycles.</summary>
    private HashSet<string> Upstream(string id)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([id]);
        while (open.TryPop(out var next))
        {
            foreach (var source in _sources[next].Where(seen.Add))
                open.Push(source);
        }

        return seen;
    }

    private static bool IsMissing(Block block, string param) =>
        !block.Params.TryGetValue(param, out var value)
        || value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined
        || (value.ValueKind == JsonValueKind.String && value.ValueEquals(""u8));
}
