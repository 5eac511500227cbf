using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Workflows.Catalogue;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// Applies operations to a block graph. Pure: strictly in order, each operation sees what those before it did; what cannot be
/// applied is skipped with a reason, and the rest applies. Then all blocks are checked, also those that nobody touched.
/// </summary>
internal static class GraphEditor
{
    public static EditResult Apply(BlockGraph graph, IReadOnlyList<EditOp> ops)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(ops);
        var draft = new GraphDraft(graph);
        var skipped = ImmutableArray.CreateBuilder<SkippedItem>();
        var refused = ImmutableArray.CreateBuilder<BlockError>();
        foreach (var op in ops)
        {
            if (Apply(draft, op, refused) is { } skip)
                skipped.Add(skip);
        }

        var result = draft.ToGraph();
        refused.AddRange(GraphChecks.Run(result));
        var (skips, errors) = (skipped.ToImmutable(), refused.ToImmutable());
        return new EditResult(result, skips, errors, EditSummary.Of(ops.Count, skips, errors));
    }

    private static SkippedItem? Apply(GraphDraft draft, EditOp op, ImmutableArray<BlockError>.Builder refused) => op switch
    {
        EditOp.Add add => Add(draft, add, refused),
        EditOp.Edit edit => Edit(draft, edit, refused),
        EditOp.Delete => draft.Remove(op.BlockId) ? null : NotFound(op),
        EditOp.Connect connect => Connect(draft, connect),
        EditOp.Disconnect cut => draft.Disconnect(cut.BlockId, cut.Target, cut.Handle)
            ? null
            : Skip(op, "edge_not_found", "There is no such connection between the two blocks.") with { TargetBlockId = cut.Target },
        EditOp.EditConnection edit => EditConnection(draft, edit),
        EditOp.Rename rename => Change(draft, op, block => block with { Name = rename.Name }),
        EditOp.SetEnabled set => Change(draft, op, block => block with { Enabled = set.Enabled }),
        EditOp.SetPosition set => Change(draft, op, block => block with { Position = set.Position }),
        EditOp.RemoveParam remove => RemoveParam(draft, remove),
        EditOp.SetVariables set => Do(() => draft.Variables = set.Variables),
        EditOp.SetMetadata set => Do(() =>
        {
            draft.Name = set.Name ?? draft.Name;
            draft.Description = set.Description ?? draft.Description;
        }),
        EditOp.Malformed malformed => Skip(op, "malformed_operation", malformed.Reason),
        _ => Skip(op, "malformed_operation", "There is no such operation."),
    };

    private static SkippedItem? Add(GraphDraft draft, EditOp.Add add, ImmutableArray<BlockError>.Builder refused)
    {
        if (BlockIds.Problem(add.BlockId) is { } problem)
            return Skip(add, "invalid_block_id", problem);
        if (draft.Find(add.BlockId) is not null)
            return Skip(add, "block_already_exists", "A block with this id exists; change it with 'edit'.");
        if (BlockTypes.Find(add.Type) is not { } type)
            return Skip(add, "block_type_not_registered", $"There is no such block type. Types: {BlockTypes.Names}.");
        if (draft.IsFull)
            return Skip(add, "limit_exceeded", "The workflow has as many blocks as one may have.");

        var block = new Block(add.BlockId, add.Type, Block.NoParams) { Name = add.Name };
        draft.Put(SetParams(block, type, add.Params, refused));
        return null;
    }

    private static SkippedItem? Edit(GraphDraft draft, EditOp.Edit edit, ImmutableArray<BlockError>.Builder refused)
    {
        if (draft.Find(edit.BlockId) is not { } block)
            return NotFound(edit);
        if (BlockTypes.Find(block.Type) is not { } type)
            return Skip(edit, "block_type_not_registered", $"There is no such block type. Types: {BlockTypes.Names}.");

        draft.Put(SetParams(block with { Name = edit.Name ?? block.Name }, type, edit.Params, refused));
        return null;
    }

    private static Block SetParams(
        Block block,
        BlockType type,
        ImmutableArray<KeyValuePair<string, JsonElement>> values,
        ImmutableArray<BlockError>.Builder refused)
    {
        var accepted = block.Params.ToBuilder();
        foreach (var (name, value) in values)
        {
            if (type.Exposes(name))
                accepted[name] = value;
            else
                refused.Add(new BlockError(block.Id, type.Type, name, null, NotExposed(name, type)));
        }

        return block with { Params = accepted.ToImmutable() };
    }

    private static string NotExposed(string name, BlockType type) =>
        $"Parameter '{name}' is not exposed by block '{type.Type}'. Available: {string.Join(", ", type.Params.Select(param => param.Id))}";

    private static SkippedItem? Connect(GraphDraft draft, EditOp.Connect connect)
    {
        var edge = new Connection(connect.BlockId, connect.Target, connect.Handle, connect.Condition);
        var (code, reason) = true switch
        {
            _ when draft.Find(edge.Source) is null => ("invalid_edge_source", "The source block does not exist."),
            _ when draft.Find(edge.Target) is null => ("invalid_edge_target", "The target block does not exist."),
            _ when draft.IsConnected(edge) => ("duplicate_connection", "The two blocks are connected by this handle already."),
            _ when draft.HasMostConnections => ("limit_exceeded", "The workflow has as many connections as one may have."),
            _ when draft.Leads(edge.Target, edge.Source) => ("cycle_introduced", "The connection would close a cycle."),
            _ => ("", ""),
        };
        if (code.Length > 0)
            return Skip(connect, code, reason) with { TargetBlockId = code == "invalid_edge_target" ? edge.Target : null };

        draft.Connect(edge);
        return null;
    }

    private static SkippedItem? EditConnection(GraphDraft draft, EditOp.EditConnection edit)
    {
        if (draft.FindConnection(edit.BlockId, edit.Target, edit.Handle) is not { } edge)
            return Skip(edit, "edge_not_found", "There is no such connection between the two blocks.") with { TargetBlockId = edit.Target };

        var changed = edge with { Handle = edit.NewHandle ?? edge.Handle, Condition = edit.Condition ?? edge.Condition };
        if (changed.Handle != edge.Handle && draft.IsConnected(changed))
            return Skip(edit, "duplicate_connection", "The two blocks are connected by this handle already.");

        draft.Replace(edge, changed);
        return null;
    }

    private static SkippedItem? RemoveParam(GraphDraft draft, EditOp.RemoveParam remove) =>
        draft.Find(remove.BlockId) is { } block && !block.Params.ContainsKey(remove.Param)
            ? Skip(remove, "param_not_found", "The block has no such parameter.")
            : Change(draft, remove, found => found with { Params = found.Params.Remove(remove.Param) });

    private static SkippedItem? Change(GraphDraft draft, EditOp op, Func<Block, Block> change)
    {
        if (draft.Find(op.BlockId) is not { } block)
            return NotFound(op);

        draft.Put(change(block));
        return null;
    }

    private static SkippedItem? Do(Action change)
    {
        change();
        return null;
    }

    private static SkippedItem NotFound(EditOp op) => Skip(op, "block_not_found", "There is no block with this id.");

    private static SkippedItem Skip(EditOp op, string code, string reason) => new(code, op.OperationType, op.BlockId, reason);
}
