using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>What became of a list of operations.</summary>
/// <param name="Errors">What was wrong with parameters in operations; such operations are applied without these parameters.</param>
internal sealed record AppliedOps(int Submitted, IReadOnlyList<SkippedOp> Skipped, IReadOnlyList<BlockError> Errors);

/// <summary>
/// Applies operations to a graph, strictly in order, each seeing what those before it have done. One that cannot be applied is skipped
/// with a typed reason, and the rest goes on: half a success with reasons is what a language model can work with. Pure.
/// </summary>
internal static class EditOps
{
    /// <summary>Longest id of a block, in characters.</summary>
    public const int MaxIdLength = 16_384;

    /// <summary>Most operations of one request.</summary>
    public const int MaxOps = 10_000;

    private const int MaxNameLength = 1_024;

    /// <summary>What operations may cost together, in about nanoseconds.</summary>
    private const long MaxWork = 300_000_000;

    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    /// <summary>Applies all operations.</summary>
    /// <param name="graph">Is changed.</param>
    public static AppliedOps Apply(BlockGraph graph, IReadOnlyCollection<JsonElement> ops, ConnectorSet connectors)
    {
        List<SkippedOp> skipped = [];
        List<BlockError> errors = [];
        foreach (var json in ops)
        {
            var op = new EditOp(json);
            if ((graph.Work > MaxWork ? TooMuch : null) is { } stop)
                skipped.Add(new SkippedOp(stop.Code, op.Type, op.BlockId, stop.Reason));
            else if (Apply(graph, op, connectors, errors) is { } skip)
                skipped.Add(new SkippedOp(skip.Code, op.Type, op.BlockId, skip.Reason) { TargetBlockId = skip.Target });
        }

        return new AppliedOps(ops.Count, skipped, errors);
    }

    private static readonly Skip TooMuch = new(SkipCodes.LimitExceeded, "The operations of the request are too much work at once: send the rest in another one.");

    private sealed record Skip(string Code, string Reason, string? Target = null);

    private static Skip? Apply(BlockGraph graph, EditOp op, ConnectorSet connectors, List<BlockError> errors) => op.Type switch
    {
        EditOp.Add => Add(graph, op, connectors, errors),
        EditOp.Edit => Edit(graph, op, connectors, errors),
        EditOp.Delete => Delete(graph, op),
        EditOp.Connect => Connect(graph, op),
        EditOp.Disconnect => Disconnect(graph, op),
        EditOp.EditConnection => EditConnection(graph, op),
        EditOp.Enable => Change(graph, op, block => block with { IsEnabled = true, IsChanged = true }),
        EditOp.Disable => Change(graph, op, block => block with { IsEnabled = false, IsChanged = true }),
        EditOp.Rename => op.Text("name") is null
            ? Malformed("'name' must be a string")
            : WrongName(op) ?? Change(graph, op, block => block with { Name = NameOf(op), IsChanged = true }),
        EditOp.SetPosition => SetPosition(graph, op),
        EditOp.RemoveParam => RemoveParam(graph, op),
        EditOp.SetVariables => SetVariables(graph, op),
        EditOp.SetMetadata => SetMetadata(graph, op),
        _ => Malformed(op.Json.ValueKind == JsonValueKind.Object
            ? $"'operation_type' must be one of: {string.Join(", ", ToolList.OperationTypes)}"
            : "an operation must be an object"),
    };

    private static Skip? Add(BlockGraph graph, EditOp op, ConnectorSet connectors, List<BlockError> errors)
    {
        if (op.Text("block_id") is not { } id || op.Text("type") is not { } type)
            return Malformed("'block_id' and 'type' must be strings");
        if (WrongParams(op) is { } wrong)
            return wrong;
        if (WrongId(id) is { } problem)
            return new Skip(SkipCodes.InvalidBlockId, problem);
        if (graph.Contains(id))
            return new Skip(SkipCodes.BlockAlreadyExists, $"Block '{id}' exists already; use edit to change it.");
        if (connectors.Find(type) is not { } connector)
            return NotRegistered(type, connectors);
        if (graph.BlockCount >= WorkflowLimits.MaxNodes)
            return new Skip(SkipCodes.LimitExceeded, $"A workflow has at most {WorkflowLimits.MaxNodes} blocks.");

        graph.Add(new Block(id, type, Merge(graph, EmptyObject, op.Member("params"), connector, id, errors)) { Name = NameOf(op), IsChanged = true });
        return null;
    }

    private static Skip? Edit(BlockGraph graph, EditOp op, ConnectorSet connectors, List<BlockError> errors)
    {
        if (op.Text("block_id") is null)
            return Malformed("'block_id' must be a string");
        if (WrongParams(op) is { } wrong)
            return wrong;
        if (!graph.TryGet(op.BlockId, out var block))
            return NotFound(op.BlockId);

        graph.Replace(block with
        {
            Name = op.Text("name") is null ? block.Name : NameOf(op),
            Params = Merge(graph, block.Params, op.Member("params"), connectors.Find(block.Type), block.Id, errors),
            IsChanged = true,
        });
        return null;
    }

    private static Skip? Delete(BlockGraph graph, EditOp op)
    {
        if (op.Text("block_id") is null)
            return Malformed("'block_id' must be a string");
        if (!graph.Contains(op.BlockId))
            return NotFound(op.BlockId);

        graph.Remove(op.BlockId);
        return null;
    }

    private static Skip? Connect(BlockGraph graph, EditOp op)
    {
        if (WrongEnds(op) is { } wrong)
            return wrong;

        var (source, target, handle) = (op.BlockId, op.Text("target_block_id")!, HandleOf(op));
        if (!graph.Contains(source))
            return new Skip(SkipCodes.InvalidEdgeSource, $"The source, block '{source}', does not exist.");
        if (!graph.Contains(target))
            return new Skip(SkipCodes.InvalidEdgeTarget, $"The target, block '{target}', does not exist.", target);
        if (graph.Contains(source, target, handle))
            return new Skip(SkipCodes.DuplicateConnection, $"'{source}' and '{target}' are connected so already.");
        if (graph.Leads(target, source))
            return new Skip(SkipCodes.CycleIntroduced, $"'{target}' leads to '{source}' already: the connection would close a cycle.");
        if (graph.ConnectionCount >= WorkflowLimits.MaxEdges)
            return new Skip(SkipCodes.LimitExceeded, $"A workflow has at most {WorkflowLimits.MaxEdges} connections.");

        graph.Add(new Connection(source, target, handle) { Condition = op.Text("condition") is { Length: > 0 } condition ? condition : null, IsChanged = true });
        return null;
    }

    private static Skip? Disconnect(BlockGraph graph, EditOp op)
    {
        if (WrongEnds(op) is { } wrong)
            return wrong;

        var target = op.Text("target_block_id")!;
        if (graph.Find(op.BlockId, target, HandleOf(op)) is not { } connection)
            return new Skip(SkipCodes.EdgeNotFound, $"There is no such connection from '{op.BlockId}' to '{target}'.");

        graph.Remove(connection);
        return null;
    }

    private static Skip? EditConnection(BlockGraph graph, EditOp op)
    {
        if ((WrongEnds(op) ?? (op.IsOdd("new_source_handle") ? Malformed("'new_source_handle' must be a string") : null)) is { } wrong)
            return wrong;

        var target = op.Text("target_block_id")!;
        if (graph.Find(op.BlockId, target, HandleOf(op)) is not { } connection)
            return new Skip(SkipCodes.EdgeNotFound, $"There is no such connection from '{op.BlockId}' to '{target}'.");

        var handle = op.Text("new_source_handle") is { } changed ? Filled(changed) : connection.Handle;
        if (handle != connection.Handle && graph.Contains(op.BlockId, target, handle))
            return new Skip(SkipCodes.DuplicateConnection, $"'{op.BlockId}' and '{target}' are connected so already.");

        graph.Replace(connection, connection with
        {
            Handle = handle,
            Condition = op.Text("condition") is { } condition ? Filled(condition) : connection.Condition,
            IsChanged = true,
        });
        return null;
    }

    private static Skip? SetPosition(BlockGraph graph, EditOp op)
    {
        var position = op.Member("position");
        if (position.ValueKind != JsonValueKind.Object
            || !position.TryGetProperty("x", out var x) || x.ValueKind != JsonValueKind.Number || !x.TryGetDouble(out var left) || !double.IsFinite(left)
            || !position.TryGetProperty("y", out var y) || y.ValueKind != JsonValueKind.Number || !y.TryGetDouble(out var top) || !double.IsFinite(top))
        {
            return Malformed("'position' must be {x, y} of numbers");
        }

        return Change(graph, op, block => block with { X = left, Y = top, IsChanged = true });
    }

    private static Skip? RemoveParam(BlockGraph graph, EditOp op)
    {
        if (op.Text("param") is not { } name)
            return Malformed("'param' must be a string");
        if (graph.TryGet(op.BlockId, out var block) && !block.Params.TryGetProperty(name, out _))
            return new Skip(SkipCodes.ParamNotFound, $"Block '{op.BlockId}' has no such param.");

        return Change(graph, op, found => found with
        {
            Params = Written(graph, JsonObjects.Of(found.Params.EnumerateObject().Where(member => member.Name != name).Select(member => (member.Name, member.Value)))),
            IsChanged = true,
        });
    }

    private static Skip? SetVariables(BlockGraph graph, EditOp op)
    {
        var variables = op.Member("variables");
        if (variables.ValueKind != JsonValueKind.Object || variables.GetPropertyCount() > WorkflowLimits.MaxDeclarations)
            return Malformed($"'variables' must be an object of at most {WorkflowLimits.MaxDeclarations} values");
        if (variables.EnumerateObject().Any(variable => variable.Name.Length == 0 || variable.Value.ValueKind == JsonValueKind.Null))
            return Malformed("variables have names, and values other than null");

        graph.Variables = variables;
        graph.HasNewVariables = true;
        return null;
    }

    private static Skip? SetMetadata(BlockGraph graph, EditOp op)
    {
        var metadata = new EditOp(op.Member("metadata"));
        if (metadata.Json.ValueKind != JsonValueKind.Object || metadata.IsOdd("name") || metadata.IsOdd("description"))
            return Malformed("'metadata' must be {name?, description?} of strings");
        if (metadata.Text("name") is { Length: > WorkflowNames.MaxLength })
            return Malformed($"'name' has at most {WorkflowNames.MaxLength} characters");

        graph.Name = metadata.Text("name") is { } name ? Filled(name) : graph.Name;
        graph.Description = metadata.Text("description") is { } description ? Filled(description) : graph.Description;
        return null;
    }

    private static Skip? Change(BlockGraph graph, EditOp op, Func<Block, Block> change)
    {
        if (op.Text("block_id") is null)
            return Malformed("'block_id' must be a string");
        if (!graph.TryGet(op.BlockId, out var block))
            return NotFound(op.BlockId);

        graph.Replace(change(block));
        return null;
    }

    /// <summary>
    /// Parameters laid over those that are there; a node that is no block takes any. What the type does not expose is dropped and reported, its value aside: that it was
    /// sent may have been a mistake with a secret.
    /// </summary>
    private static JsonElement Merge(BlockGraph graph, JsonElement present, JsonElement given, Connector? connector, string blockId, List<BlockError> errors)
    {
        if (given.ValueKind != JsonValueKind.Object)
            return present;

        var merged = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in present.EnumerateObject())
            merged[member.Name] = member.Value;
        foreach (var member in given.EnumerateObject())
        {
            if (connector is null || connector.Exposes(member.Name))
            {
                merged[member.Name] = member.Value;
                continue;
            }

            if (errors.Count == BlockChecks.MaxErrors)
                continue;

            errors.Add(new BlockError(
                BlockErrorCodes.FieldNotExposed, blockId, connector.Type, member.Name,
                $"Field '{member.Name}' is not exposed by block '{connector.Type}'. Allowed: {string.Join(", ", connector.Exposed.Select(parameter => parameter.Name))}"));
        }

        return Written(graph, JsonObjects.Of(merged.Select(member => (member.Key, member.Value))));
    }

    private static JsonElement Written(BlockGraph graph, JsonElement parameters)
    {
        graph.Work += 1_000 + (2L * JsonMarshal.GetRawUtf8Value(parameters).Length);
        return parameters;
    }

    /// <summary>Why an id cannot be one: references could not name the block.</summary>
    public static string? WrongId(string id) =>
        string.IsNullOrWhiteSpace(id) ? "A block id must not be empty."
        : id.Length > MaxIdLength ? $"A block id has at most {MaxIdLength} characters."
        : BlockReference.IsReserved(id) ? $"'{id}' means something else in references and cannot be a block id."
        : id.AsSpan().ContainsAny(".{}") ? "A block id must not contain dots or braces."
        : char.IsWhiteSpace(id[0]) || char.IsWhiteSpace(id[^1]) ? "A block id must not begin or end with a blank."
        : id.Any(char.IsControl) ? "A block id must not contain control characters."
        : null;

    private static Skip? WrongParams(EditOp op) =>
        op.Member("params").ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Object) ? Malformed("'params' must be an object") : WrongName(op);

    private static Skip? WrongName(EditOp op) =>
        op.IsOdd("name") ? Malformed("'name' must be a string")
        : op.Text("name") is { Length: > MaxNameLength } ? Malformed($"'name' has at most {MaxNameLength} characters")
        : null;

    private static Skip? WrongEnds(EditOp op) =>
        op.Text("block_id") is null || op.Text("target_block_id") is null ? Malformed("'block_id' and 'target_block_id' must be strings")
        : op.IsOdd("source_handle") || op.IsOdd("condition") ? Malformed("'source_handle' and 'condition' must be strings")
        : null;

    private static string? HandleOf(EditOp op) => Filled(op.Text("source_handle"));

    private static string? NameOf(EditOp op) => Filled(op.Text("name"));

    private static string? Filled(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static Skip Malformed(string problem) => new(SkipCodes.MalformedOperation, $"The operation is not well-formed: {problem}.");

    private static Skip NotFound(string id) => new(SkipCodes.BlockNotFound, $"Block '{id}' does not exist.");

    private static Skip NotRegistered(string type, ConnectorSet connectors) =>
        new(SkipCodes.BlockTypeNotRegistered, $"There is no block type '{type}'. Types: {connectors.TypeList}");
}
