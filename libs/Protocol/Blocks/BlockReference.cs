using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>What a reference begins with.</summary>
public enum ReferenceRoot
{
    /// <summary><c>trigger</c>: the input of the run.</summary>
    Trigger,

    /// <summary><c>vars.name</c>: a variable of the run.</summary>
    Variable,

    /// <summary><c>env.NAME</c>: the environment of the server, which nobody gets to see.</summary>
    Environment,

    /// <summary>A block, by id, name or slug of its name.</summary>
    Block,
}

/// <summary>A reference taken apart.</summary>
/// <param name="Head">The block as it is named; empty for other roots.</param>
/// <param name="Path">Names of members and indexes of items, one after the other.</param>
public sealed record BlockReference(ReferenceRoot Root, string Head, ReadOnlyMemory<string> Path)
{
    /// <summary>Takes a reference apart.</summary>
    public static BlockReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = text.Split('.');
        return names[0] switch
        {
            "trigger" => new BlockReference(ReferenceRoot.Trigger, "", names.AsMemory(1)),
            "vars" => new BlockReference(ReferenceRoot.Variable, "", names.AsMemory(1)),
            "env" => new BlockReference(ReferenceRoot.Environment, "", names.AsMemory(1)),
            var head => new BlockReference(ReferenceRoot.Block, head.Trim(), names.AsMemory(1)),
        };
    }

    /// <summary>Names that a block cannot be referred to by.</summary>
    public static bool IsReserved(string blockId) => blockId is "trigger" or "env" or "vars" or "secrets";

    /// <summary>The value at a path; undefined where it leads to nothing.</summary>
    public static JsonElement Follow(JsonElement value, ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Object when value.TryGetProperty(name, out var member):
                    value = member;
                    break;
                case JsonValueKind.Array
                    when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < value.GetArrayLength():
                    value = value[index];
                    break;
                default:
                    return default;
            }
        }

        return value;
    }
}

/// <summary>The names that blocks go by: id before name before slug; of equal names the last one counts.</summary>
public sealed class BlockNames
{
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _slugs = new(StringComparer.Ordinal);

    public BlockNames(IEnumerable<(string Id, string? Name)> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        foreach (var (id, name) in blocks)
        {
            _ids.Add(id);
            if (string.IsNullOrWhiteSpace(name))
                continue;

            _names[name.Trim()] = id;
            if (Slug(name) is { Length: > 0 } slug)
                _slugs[slug] = id;
        }
    }

    /// <summary>Id of the block that a reference names; null = none.</summary>
    public string? Find(string head) => _ids.Contains(head) ? head : _names.GetValueOrDefault(head) ?? _slugs.GetValueOrDefault(head);

    /// <summary>Lower case, anything but letters and digits as one underscore.</summary>
    private static string Slug(string name)
    {
        var slug = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c))
                slug.Append(char.ToLowerInvariant(c));
            else if (slug.Length > 0 && slug[^1] != '_')
                slug.Append('_');
        }

        return slug.ToString().Trim('_');
    }
}
