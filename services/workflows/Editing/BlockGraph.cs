using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// The blocks and connections that a list of operations works on, in the order of the document. A copy: what it came from does not
/// change.
/// </summary>
internal sealed class BlockGraph
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, Block> _blocks = new(StringComparer.Ordinal);
    private readonly List<Connection> _connections = [];
    private readonly HashSet<(string Source, string Target, string? Handle)> _known = [];
    private readonly Dictionary<string, List<string>> _targets = new(StringComparer.Ordinal);

    public BlockGraph(IEnumerable<Block> blocks, IEnumerable<Connection> connections, string? name, string? description, JsonElement variables)
    {
        foreach (var block in blocks)
            Add(block);
        foreach (var connection in connections)
            Add(connection);
        (Name, Description, Variables) = (name, description, variables);
    }

    /// <summary>Name of the workflow; null when it has none.</summary>
    public string? Name { get; set; }

    public string? Description { get; set; }

    /// <summary>Default values by name, an object; undefined when there are none.</summary>
    public JsonElement Variables { get; set; }

    /// <summary>Set when the variables have to be written anew.</summary>
    public bool HasNewVariables { get; set; }

    /// <summary>Blocks that are gone.</summary>
    public HashSet<string> Removed { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// What operations have cost so far, in about nanoseconds. What is cheap in a workflow as people draw it may be made to be dear.
    /// </summary>
    public long Work { get; set; }

    public int BlockCount => _blocks.Count;

    public int ConnectionCount => _connections.Count;

    public IEnumerable<Block> Blocks => _order.Select(id => _blocks[id]);

    public IReadOnlyList<Connection> Connections => _connections;

    public bool TryGet(string id, [NotNullWhen(true)] out Block? block) => _blocks.TryGetValue(id, out block);

    public bool Contains(string id) => _blocks.ContainsKey(id);

    public bool Contains(string source, string target, string? handle) => _known.Contains((source, target, handle));

    public void Add(Block block)
    {
        if (_blocks.TryAdd(block.Id, block))
            _order.Add(block.Id);
    }

    public void Replace(Block block) => _blocks[block.Id] = block;

    /// <summary>Removes a block and every connection that touches it.</summary>
    public void Remove(string id)
    {
        Work += (_connections.Count * 8) + _order.Count;
        _blocks.Remove(id);
        _order.Remove(id);
        Removed.Add(id);
        foreach (var connection in _connections.Where(connection => connection.Source == id || connection.Target == id))
        {
            _known.Remove((connection.Source, connection.Target, connection.Handle));
            _targets[connection.Source].Remove(id);
        }

        _targets.Remove(id);
        _connections.RemoveAll(connection => connection.Source == id || connection.Target == id);
    }

    public void Add(Connection connection)
    {
        _connections.Add(connection);
        _known.Add((connection.Source, connection.Target, connection.Handle));
        if (!_targets.TryGetValue(connection.Source, out var targets))
            _targets[connection.Source] = targets = [];
        targets.Add(connection.Target);
    }

    public void Remove(Connection connection)
    {
        Work += _connections.Count * 4;
        _connections.RemoveAt(_connections.FindIndex(other => ReferenceEquals(other, connection)));
        if (!_connections.Exists(other => other.Source == connection.Source && other.Target == connection.Target && other.Handle == connection.Handle))
            _known.Remove((connection.Source, connection.Target, connection.Handle));
        _targets[connection.Source].Remove(connection.Target);
    }

    public void Replace(Connection old, Connection changed)
    {
        Work += _connections.Count * 4;
        _connections[_connections.FindIndex(other => ReferenceEquals(other, old))] = changed;
        if (!_connections.Exists(other => other.Source == old.Source && other.Target == old.Target && other.Handle == old.Handle))
            _known.Remove((old.Source, old.Target, old.Handle));
        _known.Add((changed.Source, changed.Target, changed.Handle));
    }

    /// <summary>The first connection between two blocks with a handle.</summary>
    /// <param name="handle">Null = whatever its handle.</param>
    public Connection? Find(string source, string target, string? handle)
    {
        Work += _connections.Count * 4;
        return _connections.Find(connection => connection.Source == source && connection.Target == target && (handle is null || connection.Handle == handle));
    }

    /// <summary>Whether one block leads to another; to itself always.</summary>
    public bool Leads(string from, string to)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { from };
        var open = new Stack<string>([from]);
        while (open.TryPop(out var id))
        {
            if (id == to)
                return true;

            foreach (var target in _targets.GetValueOrDefault(id) ?? [])
            {
                Work += 50;
                if (seen.Add(target))
                    open.Push(target);
            }
        }

        return false;
    }

    /// <summary>Who leads to whom, by position in <see cref="Blocks"/>.</summary>
    public ImmutableArray<int>[] Sources()
    {
        var positions = _order.Select((id, index) => (id, index)).ToDictionary(item => item.id, item => item.index, StringComparer.Ordinal);
        var sources = Enumerable.Range(0, _order.Count).Select(_ => ImmutableArray.CreateBuilder<int>()).ToArray();
        foreach (var connection in _connections)
            sources[positions[connection.Target]].Add(positions[connection.Source]);
        return [.. sources.Select(list => list.ToImmutable())];
    }
}
