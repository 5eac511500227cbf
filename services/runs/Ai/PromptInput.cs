using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>What a node asks, from its ports and its config: <c>messages</c>, or <c>prompt</c>, and a <c>systemPrompt</c>.</summary>
internal static class PromptInput
{
    private const int MaxMessages = 500;
    private const int MaxTimeoutMs = 600_000;
    private const int DefaultTimeoutMs = 120_000;

    /// <summary>Reads the request; what is wrong is in <see cref="NodeParameters.Error"/>.</summary>
    public static ModelRequest Read(NodeContext context, NodeParameters parameters, ChosenModel chosen)
    {
        var (system, messages) = ReadMessages(context, parameters);
        if (messages.Count == 0 && chosen.Provider is not null)
            parameters.Reject("prompt", "must say what to ask, or 'messages' must");

        return new ModelRequest(chosen.Model, messages)
        {
            SystemPrompt = parameters.String("systemPrompt") ?? system,
            Temperature = Number(context.Configurable, "temperature") ?? Temperature(parameters),
            MaxTokens = (int)Math.Min(
                context.Configurable.IntegerMember("maxTokens") ?? int.MaxValue, parameters.Integer("maxTokens", 1, 1_000_000, context.Configurable.IntegerMember("maxTokens") ?? ModelRequest.DefaultMaxTokens)),
            StopSequences = ReadStops(parameters),
            Credential = chosen.Credential,
        };
    }

    public static TimeSpan ReadTimeout(NodeParameters parameters) => TimeSpan.FromMilliseconds(parameters.Integer("timeoutMs", 1, MaxTimeoutMs, DefaultTimeoutMs));

    private static (string? System, List<ModelMessage> Messages) ReadMessages(NodeContext context, NodeParameters parameters)
    {
        string? system = null;
        var messages = new List<ModelMessage>();
        if (parameters.Find("messages") is { } list)
        {
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxMessages)
            {
                parameters.Reject("messages", $"must be a list of at most {MaxMessages} messages");
                return (null, messages);
            }

            foreach (var message in list.EnumerateArray())
            {
                switch (message.StringMember("role"), message.StringMember("content"))
                {
                    case ("system", { } text):
                        system = system is null ? text : $"{system}\n\n{text}";
                        break;
                    case ("user", { } text):
                        messages.Add(new ModelMessage("user", text));
                        break;
                    case ("assistant", { } text):
                        messages.Add(new ModelMessage("assistant", text));
                        break;
                    default:
                        parameters.Reject("messages", "must have a role of system, user or assistant, and content that is text");
                        break;
                }
            }
        }

        if ((Override(context, parameters) ?? parameters.String("prompt", "userPrompt")) is { Length: > 0 } prompt)
            messages.Add(new ModelMessage("user", prompt));

        return (system, messages);
    }

    /// <summary>The run may replace a prompt by its id.</summary>
    private static string? Override(NodeContext context, NodeParameters parameters) =>
        parameters.ConfigString("promptId") is { } id ? context.Configurable.Member("promptOverrides")?.StringMember(id) : null;

    private static double? Temperature(NodeParameters parameters)
    {
        if (parameters.Find("temperature") is not { } value)
            return null;

        if (value.ValueKind == JsonValueKind.Number && value.GetDouble() is >= 0 and <= 2 and var temperature)
            return temperature;

        parameters.Reject("temperature", "must be a number from 0 to 2");
        return null;
    }

    private static double? Number(JsonElement configurable, string name) => configurable.Member(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private static string[] ReadStops(NodeParameters parameters)
    {
        if (parameters.Find("stopSequences") is not { } stops)
            return [];

        if (stops.ValueKind == JsonValueKind.Array && stops.GetArrayLength() <= 16 && stops.EnumerateArray().All(stop => stop.ValueKind == JsonValueKind.String))
            return [.. stops.EnumerateArray().Select(stop => stop.GetString()!)];

        parameters.Reject("stopSequences", "must be at most 16 strings");
        return [];
    }
}
