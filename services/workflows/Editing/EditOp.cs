using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>One operation as it was sent; wrong members are found when it is applied.</summary>
/// <param name="Json">The operation, whatever it is.</param>
internal readonly record struct EditOp(JsonElement Json)
{
    public const string Add = "add";
    public const string Edit = "edit";
    public const string Delete = "delete";
    public const string Connect = "connect";
    public const string Disconnect = "disconnect";
    public const string EditConnection = "edit_connection";
    public const string Enable = "enable";
    public const string Disable = "disable";
    public const string Rename = "rename";
    public const string SetPosition = "set_position";
    public const string RemoveParam = "remove_param";
    public const string SetVariables = "set_variables";
    public const string SetMetadata = "set_metadata";

    /// <summary>The operation's name as it was sent; empty when it has none.</summary>
    public string Type => Text("operation_type") ?? "";

    public string BlockId => Text("block_id") ?? "";

    /// <summary>A string member; null when absent or something else.</summary>
    public string? Text(string name) =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whether a member is there but no string.</summary>
    public bool IsOdd(string name) =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.String;

    /// <summary>A member; undefined when absent.</summary>
    public JsonElement Member(string name) => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) ? value : default;
}

/// <summary>An operation that was not applied, and why.</summary>
/// <param name="Code">One of <see cref="SkipCodes"/>.</param>
internal sealed record SkippedOp(string Code, string OperationType, string BlockId, string Reason)
{
    /// <summary>The target of a connection, where the reason lies there.</summary>
    public string? TargetBlockId { get; init; }
}

/// <summary>Why operations are not applied.</summary>
internal static class SkipCodes
{
    public const string MalformedOperation = "malformed_operation";
    public const string InvalidBlockId = "invalid_block_id";
    public const string BlockAlreadyExists = "block_already_exists";
    public const string BlockTypeNotRegistered = "block_type_not_registered";
    public const string BlockNotFound = "block_not_found";
    public const string InvalidEdgeSource = "invalid_edge_source";
    public const string InvalidEdgeTarget = "invalid_edge_target";
    public const string DuplicateConnection = "duplicate_connection";
    public const string CycleIntroduced = "cycle_introduced";
    public const string EdgeNotFound = "edge_not_found";
    public const string ParamNotFound = "param_not_found";
    public const string LimitExceeded = "limit_exceeded";
}

/// <summary>Something about a block that keeps the workflow from running.</summary>
/// <param name="Code">One of <see cref="BlockErrorCodes"/>.</param>
/// <param name="Field">The parameter, or <c>*</c> for references in any of them.</param>
internal sealed record BlockError(string Code, string BlockId, string BlockType, string? Field, string Message)
{
    /// <summary>The reference at fault. Values of parameters are never repeated: they may be secrets.</summary>
    public string? Value { get; init; }

    /// <summary>JSON pointer into the workflow as it is shown.</summary>
    public string? Path { get; init; }
}

/// <summary>What is wrong with blocks.</summary>
internal static class BlockErrorCodes
{
    public const string FieldNotExposed = "field_not_exposed";
    public const string RequiredFieldMissing = "required_field_missing";
    public const string InvalidBlockId = "invalid_block_id";
    public const string UnknownReference = "unknown_reference";
    public const string NotUpstream = "reference_not_upstream";
    public const string UndeclaredOutput = "output_not_declared";
    public const string EnvironmentRefused = "env_not_allowed";
}
