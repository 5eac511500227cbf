namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>
/// Blocks are nodes whose type is in the host's <see cref="ConnectorSet"/>; nodes of other types may stand beside them
/// (docs/decisions/0041-control-plane-model.md).
/// </summary>
public static class BlockTypes
{
    /// <summary>The handle that is followed when a block fails.</summary>
    public const string ErrorHandle = "error";

    /// <summary>The placeholder in a definition without blocks, which the schema of definitions does not allow.</summary>
    public const string PlaceholderId = "empty";

    /// <summary>Node type of the placeholder.</summary>
    public const string PlaceholderTypeId = "core.noop";

    /// <summary>Whether a node stands in for blocks that are still to come.</summary>
    public static bool IsPlaceholder(string id, string typeId) => id == PlaceholderId && typeId == PlaceholderTypeId;
}
