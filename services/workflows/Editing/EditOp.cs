using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>One operation on a block graph (docs/control-plane.md).</summary>
internal abstract record EditOp(string OperationType, string BlockId)
{
    public sealed record Add(string Id, string Type, string? Name, ImmutableArray<KeyValuePair<string, JsonElement>> Params) : EditOp("add", Id);

    public sealed record Edit(string Id, string? Name, ImmutableArray<KeyValuePair<string, JsonElement>> Params) : EditOp("edit", Id);

    public sealed record Rename(string Id, string Name) : EditOp("rename", Id);

    public sealed record Delete(string Id) : EditOp("delete", Id);

    public sealed record Connect(string Id, string Target, string Handle, string Condition) : EditOp("connect", Id);

    /// <param name="Id">Source of the edge.</param>
    /// <param name="Target">Target of the edge.</param>
    /// <param name="Handle">The edge of this handle; null for the first between the two.</param>
    public sealed record Disconnect(string Id, string Target, string? Handle) : EditOp("disconnect", Id);

    /// <param name="Id">Source of the edge.</param>
    /// <param name="Target">Target of the edge.</param>
    /// <param name="Handle">The edge of this handle; null for the first between the two.</param>
    /// <param name="NewHandle">Its new handle; null leaves it.</param>
    /// <param name="Condition">Its new condition; null leaves it.</param>
    public sealed record EditConnection(string Id, string Target, string? Handle, string? NewHandle, string? Condition)
        : EditOp("edit_connection", Id);

    public sealed record SetEnabled(string Id, bool Enabled) : EditOp(Enabled ? "enable" : "disable", Id);

    public sealed record SetPosition(string Id, BlockPosition Position) : EditOp("set_position", Id);

    public sealed record RemoveParam(string Id, string Param) : EditOp("remove_param", Id);

    public sealed record SetVariables(JsonElement Variables) : EditOp("set_variables", "");

    /// <summary>Sets the members that are not null.</summary>
    public sealed record SetMetadata(string? Name, string? Description) : EditOp("set_metadata", "");

    /// <summary>What could not be read as an operation; it is skipped and the others apply.</summary>
    public sealed record Malformed(string Claimed, string Id, string Reason) : EditOp(Claimed, Id);
}

/// <summary>An operation that was not applied, and why.</summary>
internal sealed record SkippedItem(string ReasonCode, string OperationType, string BlockId, string Reason, string? TargetBlockId = null);

/// <summary>What keeps a block from running. The refused value of a parameter is not repeated: it may be a secret.</summary>
/// <param name="Value">The reference that leads nowhere, in braces; null for other errors.</param>
internal sealed record BlockError(string BlockId, string BlockType, string? Field, string? Value, string Error);

/// <summary>What a patch did.</summary>
internal sealed record EditResult(BlockGraph Graph, ImmutableArray<SkippedItem> Skipped, ImmutableArray<BlockError> Errors, string Summary)
{
    public bool Ok => Skipped.IsEmpty && Errors.IsEmpty;
}
