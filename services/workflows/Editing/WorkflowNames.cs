namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Names of workflows. A definition must have one; a workflow without goes by its id.</summary>
internal static class WorkflowNames
{
    /// <summary>Characters, as the schema of definitions has it.</summary>
    public const int MaxLength = 256;
}
