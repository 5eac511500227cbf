namespace OpenWop.Micro.Workflows.Store;

/// <summary>The name of a workflow as lists show it.</summary>
internal static class StoredName
{
    /// <summary>Null for a workflow that goes by its id, and where the name is no text for a database.</summary>
    public static string? Of(string workflowId, string? name) =>
        name is null || name == workflowId || name.Contains('\0', StringComparison.Ordinal) ? null : name;
}
