using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>The operations as JSON Schema, and as tool definitions that language models take.</summary>
internal static class ToolList
{
    private static readonly (string Type, string Description, (string Name, string Type, bool IsRequired)[] Members)[] Table =
    [
        (EditOp.Add, "Adds a block.", [("block_id", "string", true), ("type", "string", true), ("name", "string", false), ("params", "object", false)]),
        (EditOp.Edit, "Changes the name of a block, or lays params over those it has.", [("block_id", "string", true), ("name", "string", false), ("params", "object", false)]),
        (EditOp.Delete, "Removes a block and its connections.", [("block_id", "string", true)]),
        (EditOp.Connect, "Leads from a block to another one, if need be by a handle such as true, false or error.",
            [("block_id", "string", true), ("target_block_id", "string", true), ("source_handle", "string", false), ("condition", "string", false)]),
        (EditOp.Disconnect, "Removes a connection; without a handle the first one between the two.",
            [("block_id", "string", true), ("target_block_id", "string", true), ("source_handle", "string", false)]),
        (EditOp.EditConnection, "Changes the handle or the note of a connection.",
            [("block_id", "string", true), ("target_block_id", "string", true), ("source_handle", "string", false), ("new_source_handle", "string", false), ("condition", "string", false)]),
        (EditOp.Enable, "Lets a block take part again.", [("block_id", "string", true)]),
        (EditOp.Disable, "Leaves a block out, with its connections.", [("block_id", "string", true)]),
        (EditOp.Rename, "Names a block; an empty name takes it away.", [("block_id", "string", true), ("name", "string", true)]),
        (EditOp.SetPosition, "Says where an editor shows a block.", [("block_id", "string", true), ("position", "object", true)]),
        (EditOp.RemoveParam, "Takes a param of a block away.", [("block_id", "string", true), ("param", "string", true)]),
        (EditOp.SetVariables, "Replaces the variables of the workflow, which {{vars.name}} reads.", [("variables", "object", true)]),
        (EditOp.SetMetadata, "Changes name and description of the workflow.", [("metadata", "object", true)]),
    ];

    private static readonly ReadOnlyMemory<byte> Document = JsonObjects.Write(Write);

    public static IEnumerable<string> OperationTypes => Table.Select(operation => operation.Type);

    /// <summary><c>{operations, tools}</c> as UTF-8 JSON.</summary>
    public static ReadOnlyMemory<byte> Json => Document;

    private static void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("operations"u8);
        foreach (var operation in Table)
        {
            writer.WriteStartObject();
            writer.WriteString("operation_type"u8, operation.Type);
            writer.WriteString("description"u8, operation.Description);
            writer.WritePropertyName("schema"u8);
            WriteSchema(writer, operation);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("tools"u8);
        writer.WriteStartObject();
        writer.WriteString("name"u8, "edit_workflow"u8);
        writer.WriteString("description"u8,
            "Edits a workflow by a list of operations, applied in order. What cannot be applied is skipped with a reason, the rest is kept; "
            + "validation errors tell what still keeps the workflow from running. Block types and their params are listed by the catalogue; "
            + "strings in params refer to other blocks as {{block_id.output}} and to the input of the run as {{trigger.member}}.");
        writer.WriteStartObject("input_schema"u8);
        writer.WriteString("type"u8, "object"u8);
        writer.WriteStartObject("properties"u8);
        writer.WriteStartObject("ops"u8);
        writer.WriteString("type"u8, "array"u8);
        writer.WriteStartObject("items"u8);
        writer.WriteStartArray("oneOf"u8);
        foreach (var operation in Table)
            WriteSchema(writer, operation);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartArray("required"u8);
        writer.WriteStringValue("ops"u8);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteSchema(Utf8JsonWriter writer, (string Type, string Description, (string Name, string Type, bool IsRequired)[] Members) operation)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "object"u8);
        writer.WriteString("description"u8, operation.Description);
        writer.WriteStartObject("properties"u8);
        writer.WriteStartObject("operation_type"u8);
        writer.WriteString("const"u8, operation.Type);
        writer.WriteEndObject();
        foreach (var member in operation.Members)
        {
            writer.WriteStartObject(member.Name);
            writer.WriteString("type"u8, member.Type);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteStartArray("required"u8);
        writer.WriteStringValue("operation_type"u8);
        foreach (var member in operation.Members.Where(member => member.IsRequired))
            writer.WriteStringValue(member.Name);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
