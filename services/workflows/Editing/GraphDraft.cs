using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>A block graph while operations are applied to it: lookups by id and by edge do not scan.</summary>
internal sealed class GraphDraft
{
    private readonly OrderedDictionary<string, Block> _blocks = new(StringComparer.Ordinal);
    private readonly List<Connection> _connections;
    private readonly HashSet<(string Source, string Target, string Handle)> _edges = [];
    private readonly Dictionary<string, List<string>> _targets = new(StringComparer.Ordinal);

    public GraphDraft(BlockGraph graph)
    {
        (Name, Description, Variables) = (graph.Name, graph.Description, graph.Variables);
        _connections = new List<Connection>(graph.Connections.Length);
        foreach (var block in graph.Blocks)
            Put(block);
        foreach (var connection in graph.Connections)
            Connect(connection);
    }

    public string? Name { get; set; }

    public string? Description { get; set; }

    public JsonElement Variables { get; set; }

    public bool IsFull => _blocks.Count >= WorkflowLimits.MaxNodes;

    public bool HasMostConnections => _connections.Count >= WorkflowLimits.MaxEdges;

    public Block? Find(string id) => _blocks.GetValueOrDefault(id);

    /// <summary>Adds a block, or replaces the one of the same id in its place.</summary>
    public void Put(Block block) => _blocks[block.Id] = block;

    public bool Remove(string id)
    {
        if (!_blocks.Remove(id))
            return false;

        foreach (var edge in _connections.Where(edge => edge.Source == id || edge.Target == id).ToList())
            Cut(edge);
        return true;
    }

    public bool IsConnected(Connection edge) => _edges.Contains(KeyOf(edge));

    public void Connect(Connection edge)
    {
        _connections.Add(edge);
        _edges.Add(KeyOf(edge));
        if (!_targets.TryGetValue(edge.Source, out var targets))
            _targets.Add(edge.Source, targets = []);
        targets.Add(edge.Target);
    }

    /// <param name="source">Id of the block that it leaves.</param>
    /// <param name="target">Id of the block that it enters.</param>
    /// <param name="handle">The handle; null for the first connection between the two.</param>
    public Connection? FindConnection(string source, string target, string? handle) =>
        _connections.Find(edge => edge.Source == source && edge.Target == target && (handle is null || edge.Handle == handle));

    /// <summary>Gives a connection another handle or condition and keeps its place.</summary>
    public void Replace(Connection edge, Connection changed)
    {
        _connections[_connections.IndexOf(edge)] = changed;
        _edges.Remove(KeyOf(edge));
        _edges.Add(KeyOf(changed));
    }

    public bool Disconnect(string source, string target, string? handle)
    {
        var edge = FindConnection(source, target, handle);
        if (edge is not null)
            Cut(edge);
        return edge is not null;
    }

    /// <summary>Whether one block is the other, or comes before it on some path.</summary>
    public bool Leads(string from, string to)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { from };
        var open = new Stack<string>(seen);
        while (open.TryPop(out var id))
        {
            if (id == to)
                return true;

            foreach (var target in _targets.GetValueOrDefault(id) ?? [])
            {
                if (seen.Add(target))
                    open.Push(target);
            }
        }

        return false;
    }

    public BlockGraph ToGraph() => new()
    {
        Name = Name,
        Description = Description,
        Variables = Variables,
        Blocks = [.. _blocks.Values],
        Connections = [.. _connections],
    };

    private void Cut(Connection edge)
    {
        _connections.Remove(edge);
        _edges.Remove(KeyOf(edge));
        _targets[edge.Source].Remove(edge.Target);
    }

    private static (string Source, string Target, string Handle) KeyOf(Connection edge) => (edge.Source, edge.Target, edge.Handle);
}
