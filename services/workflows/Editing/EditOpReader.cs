using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Reads operations. One that cannot be read becomes <see cref="EditOp.Malformed"/> and so a typed skip.</summary>
internal static class EditOpReader
{
    private const int MaxEchoed = 64;

    /// <param name="op">JSON that has passed <c>StrictJson</c>.</param>
    public static EditOp Read(JsonElement op)
    {
        if (op.ValueKind != JsonValueKind.Object)
            return new EditOp.Malformed("unknown", "", "An operation is an object.");

        var type = Text(op, "operation_type") ?? "unknown";
        var id = Text(op, "block_id");
        if (id is null && type is not ("set_variables" or "set_metadata"))
            return new EditOp.Malformed(Shorten(type), "", "Member 'block_id' must be a string.");

        try
        {
            return type switch
            {
                "add" => new EditOp.Add(id!, Required(op, "type"), Optional(op, "name"), Params(op)),
                "edit" => new EditOp.Edit(id!, Optional(op, "name"), Params(op)),
                "rename" => new EditOp.Rename(id!, Required(op, "name")),
                "delete" => new EditOp.Delete(id!),
                "connect" => new EditOp.Connect(
                    id!, Required(op, "target_block_id"), Optional(op, "source_handle") ?? "", Optional(op, "condition") ?? ""),
                "disconnect" => new EditOp.Disconnect(id!, Required(op, "target_block_id"), Optional(op, "source_handle")),
                "edit_connection" => new EditOp.EditConnection(
                    id!,
                    Required(op, "target_block_id"),
                    Optional(op, "source_handle"),
                    Optional(op, "new_source_handle"),
                    Optional(op, "condition")),
                "enable" => new EditOp.SetEnabled(id!, true),
                "disable" => new EditOp.SetEnabled(id!, false),
                "set_position" => new EditOp.SetPosition(id!, Position(op)),
                "remove_param" => new EditOp.RemoveParam(id!, Required(op, "param")),
                "set_variables" => new EditOp.SetVariables(Object(op, "variables")),
                "set_metadata" => new EditOp.SetMetadata(
                    Optional(Object(op, "metadata"), "name"), Optional(Object(op, "metadata"), "description")),
                _ => new EditOp.Malformed(Shorten(type), id ?? "", "There is no such operation."),
            };
        }
        catch (FormatException wrong)
        {
            return new EditOp.Malformed(type, id ?? "", wrong.Message);
        }
    }

    private static string? Text(JsonElement op, string member) =>
        op.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Required(JsonElement op, string member) =>
        Text(op, member) ?? throw new FormatException($"Member '{member}' must be a string.");

    private static string? Optional(JsonElement op, string member) => op.TryGetProperty(member, out _) ? Required(op, member) : null;

    private static JsonElement Object(JsonElement op, string member) =>
        op.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Object
            ? value
            : throw new FormatException($"Member '{member}' must be an object.");

    private static ImmutableArray<KeyValuePair<string, JsonElement>> Params(JsonElement op) =>
        op.TryGetProperty("params", out _)
            ? [.. Object(op, "params").EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value))]
            : [];

    private static BlockPosition Position(JsonElement op)
    {
        var position = Object(op, "position");
        return new BlockPosition(Number(position, "x"), Number(position, "y"));
    }

    private static double Number(JsonElement owner, string member) =>
        owner.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw new FormatException($"Member '{member}' must be a number.");

    private static string Shorten(string text) => text.Length <= MaxEchoed ? text : text[..MaxEchoed];
}
