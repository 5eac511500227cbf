using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// <c>core.ai.structuredOutput</c>: asks a model for JSON that fits a schema (spec/agents.md 11). An answer that does not fit is asked for
/// again with what is wrong, one that was cut off with more room; a refusal is final. JSON in a block of code is taken out of it. Where all
/// rounds have brought prose and the schema has a name, one more call is to put the last answer into its form.
/// </summary>
internal sealed class StructuredOutputNode(ModelSelection selection, ModelCalls calls) : INodeHandler
{
    /// <summary>Further rounds after the first (<c>limits.schemaRounds</c>).</summary>
    public const int MaxRounds = 2;

    private const int MaxErrors = 5;

    public string TypeId => "core.ai.structuredOutput";

    public bool IsPure => false;

    public bool WaitsForOthers => true;

    public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) =>
        ModelSelection.CredentialRef(node, configurable) is { } id ? [new(id, IsOptional: true)] : [];

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var schema = ReadSchema(parameters, out var text);
        var timeout = PromptInput.ReadTimeout(parameters);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        var (chosen, error) = selection.Choose(context);
        if (chosen is null)
            return new NodeOutcome.Failed(error!);

        var request = PromptInput.Read(context, parameters, chosen);
        if (parameters.HasFailed(out invalid))
            return invalid;

        request = request with { WantsJson = true, SystemPrompt = Instruct(request.SystemPrompt, text) };
        var isLast = false;
        for (var attempt = 1; ; attempt++)
        {
            var (answer, failure) = await calls.CallAsync(context, chosen, request, streams: false, timeout, cancellationToken);
            if (failure is not null)
                return new NodeOutcome.Failed(failure);

            if (answer!.FinishReason == "content_filter")
                return Refused(context, chosen, answer);

            var (value, problem) = Check(context, answer, schema!);
            if (problem is null)
                return new NodeOutcome.Completed(CallPromptNode.Outputs(chosen, answer, writer => Write(writer, "output", value)));

            if (problem.Reason == Problem.Truncation)
                Emit(context, EventTypes.EnvelopeTruncated, writer => WriteModel(writer, chosen, answer, answer.StopReason is "max_tokens" ? "max_tokens" : "length"));

            if (attempt > MaxRounds)
            {
                if (isLast || problem.Reason != Problem.NoJson || !IsProse(answer.Content) || NameOf(JsonElement.Parse(text)) is not { } name)
                    return Exhausted(context, attempt, problem);

                isLast = true;
                Emit(context, EventTypes.EnvelopeNlToFormatEngaged, writer =>
                {
                    writer.WriteString("originalEnvelopeType", name);
                    writer.WriteNumber("fallbackCalls", 1);
                });
                request = request with { Messages = [new("user", $"Put this into the form that is asked for, and add nothing to it:\n{answer.Content}")] };
                continue;
            }

            Emit(context, EventTypes.EnvelopeRetryAttempted, writer =>
            {
                writer.WriteNumber("attempt", attempt + 1);
                writer.WriteString("reason", problem.Reason);
                writer.WriteString("previousError", problem.Message);
            });
            request = problem.Reason == Problem.Truncation
                ? request with { MaxTokens = request.MaxTokens * 2 }
                : request with { Messages = [.. request.Messages, new("assistant", answer.Content.Length > 0 ? answer.Content : "…"), new("user", $"This is not what was asked for: {problem.Message} Answer again, with the JSON alone.")] };
        }
    }

    private static JsonSchemaDocument? ReadSchema(NodeParameters parameters, out string text)
    {
        text = "";
        if ((parameters.FindConfig("outputSchema") ?? parameters.FindConfig("responseSchema") ?? parameters.FindConfig("schema")) is not { ValueKind: JsonValueKind.Object } schema)
        {
            parameters.Reject("outputSchema", "must be a JSON Schema");
            return null;
        }

        text = schema.GetRawText();
        if (JsonSchemaDocument.TryCompile(schema, out var compiled, out _))
            return compiled;

        parameters.Reject("outputSchema", "must be a JSON Schema");
        return null;
    }

    private static string Instruct(string? systemPrompt, string schema) =>
        $"{(systemPrompt is null ? "" : systemPrompt + "\n\n")}Answer with one JSON value and nothing else. It must be valid against this JSON Schema:\n{schema}";

    private static (JsonElement Value, Problem? Problem) Check(NodeContext context, ModelAnswer answer, JsonSchemaDocument schema)
    {
        if (answer.FinishReason == "length")
            return (default, new Problem(Problem.Truncation, "The answer was cut off."));

        JsonElement value;
        try
        {
            var text = answer.Content.Trim();
            var unfenced = Unfenced(text);
            value = JsonElement.Parse(unfenced);
            if (unfenced.Length != text.Length)
                Emit(context, EventTypes.EnvelopeRecoveryApplied, static writer => writer.WriteString("path", "markdown-fence"));
        }
        catch (JsonException)
        {
            return (default, new Problem(Problem.NoJson, "The answer is not JSON."));
        }

        var errors = schema.Validate(value, MaxErrors);
        return errors.Count == 0 ? (value, null) : (default, new Problem("schema-violation", string.Join(' ', errors.Select(error => $"{(error.Path.Length == 0 ? "/" : error.Path)}: {error.Message}"))));
    }

    /// <summary>Models like to put JSON into a block of code.</summary>
    private static string Unfenced(string text)
    {
        if (!text.StartsWith("```", StringComparison.Ordinal) || !text.EndsWith("```", StringComparison.Ordinal) || text.IndexOf('\n', StringComparison.Ordinal) is not (> 0 and var line) || line > text.Length - 3)
            return text;

        return text[(line + 1)..^3].Trim();
    }

    private static bool IsProse(string text) => text.AsSpan().TrimStart() is [not ('{' or '['), ..];

    /// <summary>What the schema calls its documents; null when it does not say.</summary>
    private static string? NameOf(JsonElement schema) =>
        schema.StringMember("title") is { Length: > 0 } title ? title : schema.StringMember("$id") is { Length: > 0 } id ? id : null;

    /// <summary>The text of the refusal stands in the event and nowhere else.</summary>
    private static NodeOutcome.Failed Refused(NodeContext context, ChosenModel chosen, ModelAnswer answer)
    {
        Emit(context, EventTypes.EnvelopeRefusal, writer =>
        {
            writer.WriteString("provider", chosen.ProviderId);
            writer.WriteString("model", answer.Model);
            if (answer.Content.Length > 0)
                writer.WriteString("refusalText", answer.Content);
        });
        return new NodeOutcome.Failed(new NodeError("envelope_refusal", "The model refused to answer."));
    }

    private static NodeOutcome.Failed Exhausted(NodeContext context, int attempts, Problem problem)
    {
        Emit(context, EventTypes.EnvelopeRetryExhausted, writer =>
        {
            writer.WriteNumber("totalAttempts", attempts);
            writer.WriteString("finalReason", problem.Reason);
            writer.WriteString("finalError", problem.Message);
        });
        context.Emit(new NodeEvent(EventTypes.CapBreached, NodeJson.Object(writer =>
        {
            writer.WriteString("kind", "schema");
            writer.WriteNumber("limit", MaxRounds);
            writer.WriteNumber("observed", attempts);
            writer.WriteString("nodeId", context.Node.Id);
        })));
        return new NodeOutcome.Failed(problem.Reason == Problem.Truncation
            ? new NodeError("envelope_truncation_unrecoverable", "The answer was cut off however much room it had.")
            : new NodeError("envelope_invalid", "The model did not give what the schema asks for."));
    }

    private static void Emit(NodeContext context, string type, Action<Utf8JsonWriter> write) => context.Emit(new NodeEvent(type, NodeJson.Object(writer =>
    {
        writer.WriteString("nodeId", context.Node.Id);
        write(writer);
    })));

    private static void WriteModel(Utf8JsonWriter writer, ChosenModel chosen, ModelAnswer answer, string stopReason)
    {
        writer.WriteString("provider", chosen.ProviderId);
        writer.WriteString("model", answer.Model);
        writer.WriteString("stopReason", stopReason);
        writer.WriteBoolean("partialPayloadAvailable", answer.Content.Length > 0);
        writer.WriteNumber("outputTokenCount", answer.Usage.OutputTokens);
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        value.WriteTo(writer);
    }

    /// <param name="Reason">A word of the protocol's list.</param>
    private sealed record Problem(string Reason, string Message)
    {
        public const string Truncation = "truncation";
        public const string NoJson = "parse-error";
    }
}
