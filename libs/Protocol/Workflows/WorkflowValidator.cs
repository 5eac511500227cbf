using System.Text.Json;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// Decides whether a document is a workflow definition that can run (spec/runs-streams-replay.md 1).
/// <list type="number">
/// <item>The text: size, depth, no member twice.</item>
/// <item>The published schema, which is closed: unknown members are errors.</item>
/// <item>What a schema cannot say: <see cref="DefinitionRules"/>. Only for documents of the right shape.</item>
/// </list>
/// Whether the node types exist is not asked here: that is the engine's knowledge, and is checked when a run starts.
/// </summary>
public static class WorkflowValidator
{
    private static readonly JsonSchemaDocument Schema = SchemaRegistry.Published("workflow-definition");

    private static readonly (string Member, int Limit)[] Counts =
    [
        ("nodes", WorkflowLimits.MaxNodes),
        ("edges", WorkflowLimits.MaxEdges),
        ("triggers", WorkflowLimits.MaxDeclarations),
        ("variables", WorkflowLimits.MaxDeclarations),
        ("channels", WorkflowLimits.MaxDeclarations),
        ("groups", WorkflowLimits.MaxDeclarations),
    ];

    /// <summary>Validates a document given as UTF-8 JSON.</summary>
    public static ValidatedDefinition Validate(ReadOnlySpan<byte> utf8)
    {
        if (!StrictJson.TryParse(utf8, WorkflowLimits.Document, out var document, out var problem))
            return new ValidatedDefinition(null, [new DefinitionError(problem.Path, problem.Code, problem.Message)]);

        if (TooMany(document) is { } tooMany)
            return new ValidatedDefinition(null, [tooMany]);

        var misfits = Schema.Validate(document, WorkflowLimits.MaxErrors);
        if (misfits.Count > 0)
            return new ValidatedDefinition(null, [.. misfits.Select(misfit => new DefinitionError(misfit.Path, misfit.Keyword, misfit.Message))]);

        var definition = WorkflowDefinitionReader.Read(document);
        var errors = DefinitionRules.Check(document, definition);
        return errors.Count > 0 ? new ValidatedDefinition(null, errors) : new ValidatedDefinition(definition, []);
    }

    /// <summary>Counts before anything looks at the items one by one.</summary>
    private static DefinitionError? TooMany(JsonElement document)
    {
        if (document.ValueKind != JsonValueKind.Object)
            return null;

        foreach (var (member, limit) in Counts)
        {
            var count = document.TryGetProperty(member, out var value)
                ? value.ValueKind switch
                {
                    JsonValueKind.Array => value.GetArrayLength(),
                    JsonValueKind.Object => value.GetPropertyCount(),
                    _ => 0,
                }
                : 0;
            if (count > limit)
                return new DefinitionError($"/{member}", "too_many", $"There may be at most {limit} {member}.");
        }

        return null;
    }
}
