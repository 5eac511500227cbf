using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Workflows.Api;

/// <summary>Whether a document may be stored as a definition.</summary>
internal static class DefinitionCheck
{
    /// <summary>What is wrong with the document, or null.</summary>
    public static ProtocolError? Validate(string workflowId, ReadOnlyMemory<byte> document)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(document.Span);
        }
        catch (JsonException)
        {
            return ProtocolError.Validation("The definition is not valid JSON.");
        }

        var errors = SchemaRegistry.Published("workflow-definition").Validate(root);
        if (errors.Count > 0)
        {
            return new ProtocolError(
                ErrorCodes.ValidationError,
                $"The definition is not valid: {errors[0].Path}: {errors[0].Message}",
                new JsonObject
                {
                    ["errors"] = new JsonArray([.. errors.Select(error => (JsonNode)new JsonObject
                    {
                        ["path"] = error.Path,
                        ["code"] = error.Keyword,
                        ["message"] = error.Message,
                    })]),
                });
        }

        return root.GetProperty("id").GetString() == workflowId
            ? null
            : ProtocolError.Validation("The id of the definition differs from the id in the path.", "id");
    }
}
