using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Documents of editing: a workflow as blocks and connections, and what became of operations.</summary>
internal static class BlockView
{
    /// <summary>Room for a list in an answer, which travels as one message together with the workflow.</summary>
    private const int MaxListBytes = 1 << 20;

    /// <summary><c>{id, workflow, version}</c>.</summary>
    public static ReadOnlyMemory<byte> Workflow(string id, long version, string format, BlockGraph graph) => JsonObjects.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WritePropertyName("workflow"u8);
        WriteGraph(writer, format, graph);
        writer.WriteNumber("version"u8, version);
        writer.WriteEndObject();
    });

    /// <summary><c>{version, workflow}</c>, of a version.</summary>
    public static ReadOnlyMemory<byte> Version(long version, string format, BlockGraph graph) => JsonObjects.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("version"u8, version);
        writer.WritePropertyName("workflow"u8);
        WriteGraph(writer, format, graph);
        writer.WriteEndObject();
    });

    /// <summary><c>{id, workflow, version, ok, validation_errors, omitted?}</c>, of an import.</summary>
    public static ReadOnlyMemory<byte> Imported(
        string id, long version, string format, BlockGraph graph, IReadOnlyList<BlockError> errors, IReadOnlyList<string> omitted) => JsonObjects.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WritePropertyName("workflow"u8);
        WriteGraph(writer, format, graph);
        writer.WriteNumber("version"u8, version);
        writer.WriteBoolean("ok"u8, errors.Count == 0);
        WriteErrors(writer, "validation_errors", errors);
        WorkflowFile.WriteOmitted(writer, omitted);
        writer.WriteEndObject();
    });

    /// <summary><c>{ok, workflow, version, validation_errors, skipped_items, summary}</c>.</summary>
    public static ReadOnlyMemory<byte> Edited(long version, string format, BlockGraph graph, AppliedOps applied, IReadOnlyList<BlockError> errors, bool isDryRun) =>
        JsonObjects.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("ok"u8, applied.Skipped.Count == 0 && errors.Count == 0);
            if (isDryRun)
                writer.WriteBoolean("dry_run"u8, true);
            writer.WritePropertyName("workflow"u8);
            WriteGraph(writer, format, graph);
            writer.WriteNumber("version"u8, version);
            var errorsLeft = WriteErrors(writer, "validation_errors", errors);
            var skipsLeft = WriteList(writer, "skipped_items", applied.Skipped, WriteSkip);
            if (errorsLeft + skipsLeft > 0)
            {
                writer.WriteStartObject("not_listed"u8);
                writer.WriteNumber("validation_errors"u8, errorsLeft);
                writer.WriteNumber("skipped_items"u8, skipsLeft);
                writer.WriteEndObject();
            }

            writer.WriteString("summary"u8, EditSummary.Of(applied, errors));
            writer.WriteEndObject();
        });

    /// <summary>Errors as an array, as many as there is room for.</summary>
    public static ReadOnlyMemory<byte> Errors(IReadOnlyList<BlockError> errors) => JsonObjects.Write(writer => WriteErrors(writer, null, errors));

    private static int WriteErrors(Utf8JsonWriter writer, string? name, IReadOnlyList<BlockError> errors) => WriteList(writer, name, errors, WriteError);

    /// <summary>Writes what there is room for in an answer, and returns how many items are left.</summary>
    private static int WriteList<T>(Utf8JsonWriter writer, string? name, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        if (name is not null)
            writer.WritePropertyName(name);

        var begin = writer.BytesCommitted + writer.BytesPending;
        var written = 0;
        writer.WriteStartArray();
        while (written < items.Count && writer.BytesCommitted + writer.BytesPending - begin < MaxListBytes)
            write(writer, items[written++]);
        writer.WriteEndArray();
        return items.Count - written;
    }

    private static void WriteError(Utf8JsonWriter writer, BlockError error)
    {
        writer.WriteStartObject();
        writer.WriteString("code"u8, error.Code);
        writer.WriteString("block_id"u8, error.BlockId);
        writer.WriteString("block_type"u8, error.BlockType);
        Write(writer, "field", error.Field);
        Write(writer, "value", error.Value);
        Write(writer, "path", error.Path);
        writer.WriteString("error"u8, error.Message);
        writer.WriteEndObject();
    }

    private static void WriteSkip(Utf8JsonWriter writer, SkippedOp skip)
    {
        writer.WriteStartObject();
        writer.WriteString("reason_code"u8, skip.Code);
        writer.WriteString("operation_type"u8, skip.OperationType);
        writer.WriteString("block_id"u8, skip.BlockId);
        writer.WriteString("reason"u8, skip.Reason);
        if (skip.TargetBlockId is not null)
        {
            writer.WriteStartObject("details"u8);
            writer.WriteString("target_block_id"u8, skip.TargetBlockId);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteGraph(Utf8JsonWriter writer, string format, BlockGraph graph)
    {
        writer.WriteStartObject();
        writer.WriteString("version"u8, format);
        if (graph.Name is not null || graph.Description is not null)
        {
            writer.WriteStartObject("metadata"u8);
            Write(writer, "name", graph.Name);
            Write(writer, "description", graph.Description);
            writer.WriteEndObject();
        }

        writer.WriteStartArray("blocks"u8);
        foreach (var block in graph.Blocks)
            WriteBlock(writer, block);
        writer.WriteEndArray();
        writer.WriteStartArray("connections"u8);
        foreach (var connection in graph.Connections)
        {
            writer.WriteStartObject();
            writer.WriteString("source"u8, connection.Source);
            writer.WriteString("target"u8, connection.Target);
            Write(writer, "sourceHandle", connection.Handle);
            Write(writer, "condition", connection.Condition);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (graph.Variables.ValueKind == JsonValueKind.Object)
        {
            writer.WritePropertyName("variables"u8);
            graph.Variables.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteBlock(Utf8JsonWriter writer, Block block)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, block.Id);
        writer.WriteString("type"u8, block.Type);
        Write(writer, "name", block.Name);
        if (block.X != 0 || block.Y != 0)
        {
            writer.WriteStartObject("position"u8);
            writer.WriteNumber("x"u8, block.X);
            writer.WriteNumber("y"u8, block.Y);
            writer.WriteEndObject();
        }

        writer.WriteBoolean("enabled"u8, block.IsEnabled);
        writer.WritePropertyName("params"u8);
        block.Params.WriteTo(writer);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
            writer.WriteString(name, text);
    }
}
