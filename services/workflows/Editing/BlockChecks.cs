using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// Whether a workflow can run: all blocks are looked at, not only those that were changed. Parameters that are required, and
/// references: to a block that exists, that leads here, and that gives what is asked of it.
/// </summary>
internal sealed class BlockChecks
{
    /// <summary>Errors that are looked for: who has so many begins with those.</summary>
    public const int MaxErrors = 1_000;

    /// <summary>References are repeated up to this length.</summary>
    private const int MaxReference = 500;

    private readonly Block[] _blocks;
    private readonly ConnectorSet _connectors;
    private readonly Dictionary<string, int> _positions;
    private readonly BlockNames _names;
    private readonly ImmutableArray<int>[] _sources;
    private readonly int[] _visits;
    private readonly List<BlockError> _errors = [];
    private readonly JsonPath _path = new();
    private int _visit;
    private int _upstreamOf = -1;

    private BlockChecks(BlockGraph graph, ConnectorSet connectors)
    {
        _connectors = connectors;
        _blocks = [.. graph.Blocks];
        _positions = _blocks.Select((block, index) => (block.Id, index)).ToDictionary(item => item.Id, item => item.index, StringComparer.Ordinal);
        _names = new BlockNames(_blocks.Select(block => (block.Id, block.Name)));
        _sources = graph.Sources();
        _visits = new int[_blocks.Length];
    }

    /// <summary>Everything that keeps a graph from running, in the order of its blocks.</summary>
    public static IReadOnlyList<BlockError> Check(BlockGraph graph, ConnectorSet connectors)
    {
        var checks = new BlockChecks(graph, connectors);
        for (var i = 0; i < checks._blocks.Length && !checks.IsFull; i++)
            checks.Check(i);
        return checks._errors;
    }

    private bool IsFull => _errors.Count >= MaxErrors;

    private void Check(int index)
    {
        var block = _blocks[index];
        var connector = _connectors.Find(block.Type);
        // Nodes that are no blocks have rules of their own, which the engine knows.
        if (connector is null)
            return;

        if (EditOps.WrongId(block.Id) is { } problem)
            Add(index, BlockErrorCodes.InvalidBlockId, "id", problem);

        foreach (var parameter in connector.Parameters)
        {
            if (parameter.IsRequired && block.IsEnabled && IsMissing(block.Params, parameter.Name))
            {
                Add(index, BlockErrorCodes.RequiredFieldMissing, parameter.Name, $"Required field '{parameter.Name}' is missing.");
            }
        }

        foreach (var parameter in block.Params.EnumerateObject())
        {
            _path.Push(parameter.Name);
            CheckReferences(index, parameter.Value);
            _path.Pop();
        }
    }

    private void CheckReferences(int index, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    _path.Push(member.Name);
                    CheckReferences(index, member.Value);
                    _path.Pop();
                }

                break;

            case JsonValueKind.Array:
                var i = 0;
                foreach (var item in value.EnumerateArray())
                {
                    _path.Push(i++);
                    CheckReferences(index, item);
                    _path.Pop();
                }

                break;

            case JsonValueKind.String:
                foreach (var template in Templates.Scan(value.GetString()!))
                {
                    if (IsFull)
                        break;

                    CheckReference(index, template.Reference);
                }

                break;
        }
    }

    private void CheckReference(int index, string whole)
    {
        var reference = BlockReference.Parse(whole);
        var text = EditSummary.Short(whole, MaxReference);
        if (reference.Root == ReferenceRoot.Environment)
        {
            AddReference(index, text, BlockErrorCodes.EnvironmentRefused, $"'{text}' refers to env, which workflows cannot read.");
            return;
        }

        if (reference.Root != ReferenceRoot.Block)
            return;

        if (_names.Find(reference.Head) is not { } id)
        {
            AddReference(index, text, BlockErrorCodes.UnknownReference, $"'{text}' refers to '{EditSummary.Short(reference.Head, MaxReference)}', but no block has this id or name.");
            return;
        }

        var target = _blocks[_positions[id]];
        if (!IsUpstream(_positions[id], index))
        {
            AddReference(index, text, BlockErrorCodes.NotUpstream, $"'{text}' refers to block '{id}', which is not upstream of '{_blocks[index].Id}'.");
        }
        else if (reference.Path.Length > 0 && _connectors.Find(target.Type) is { } connector && !connector.Declares(reference.Path.Span[0]))
        {
            AddReference(
                index, text, BlockErrorCodes.UndeclaredOutput,
                $"Block '{id}' of type '{connector.Type}' does not declare output '{EditSummary.Short(reference.Path.Span[0], MaxReference)}'. Available: {string.Join(", ", connector.Outputs.Select(output => output.Name))}");
        }
    }

    /// <summary>Whether a way leads from one block to another. The blocks upstream of one are found once for all its references.</summary>
    private bool IsUpstream(int source, int index)
    {
        if (_upstreamOf != index)
        {
            _upstreamOf = index;
            _visit++;
            var open = new Stack<int>(_sources[index]);
            while (open.TryPop(out var next))
            {
                if (_visits[next] == _visit)
                    continue;

                _visits[next] = _visit;
                foreach (var before in _sources[next])
                    open.Push(before);
            }
        }

        return source != index && _visits[source] == _visit;
    }

    private static bool IsMissing(JsonElement parameters, string name) =>
        !parameters.TryGetProperty(name, out var value)
        || value.ValueKind == JsonValueKind.Null
        || (value.ValueKind == JsonValueKind.String && value.ValueEquals(""));

    private void Add(int index, string code, string field, string message) =>
        _errors.Add(new BlockError(code, _blocks[index].Id, _blocks[index].Type, field, message) { Path = $"/blocks/{index}" });

    private void AddReference(int index, string reference, string code, string message) =>
        _errors.Add(new BlockError(code, _blocks[index].Id, _blocks[index].Type, "*", message)
        {
            Value = $"{{{{{reference}}}}}",
            Path = $"/blocks/{index}/params{_path}",
        });
}
