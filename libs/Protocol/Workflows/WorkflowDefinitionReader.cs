using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// Turns a validated definition document into <see cref="WorkflowDefinition"/>. Unknown members are ignored; members of
/// the wrong kind throw <see cref="JsonException"/>, which validation has ruled out before.
/// </summary>
public static class WorkflowDefinitionReader
{
    /// <summary>Reads a document given as UTF-8 JSON.</summary>
    public static WorkflowDefinition Read(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        return Read(document.RootElement);
    }

    /// <summary>Reads a parsed document; nothing of it is kept alive afterwards.</summary>
    public static WorkflowDefinition Read(JsonElement root)
    {
        root = root.Clone();
        return new WorkflowDefinition
        {
            Id = RequiredString(root, "id"),
            Name = RequiredString(root, "name"),
            Version = RequiredString(root, "version"),
            Nodes = [.. Items(root, "nodes").Select(ReadNode)],
            Edges = [.. Items(root, "edges").Select(ReadEdge)],
            Triggers = [.. Items(root, "triggers").Select(ReadTrigger)],
            Variables = [.. Items(root, "variables").Select(ReadVariable)],
            Settings = ReadSettings(root),
            Channels = ReadChannels(root),
            ConfigurableSchema = Optional(root, "configurableSchema"),
            Metadata = Optional(root, "metadata"),
        };
    }

    private static WorkflowNode ReadNode(JsonElement node) => new()
    {
        Id = RequiredString(node, "id"),
        TypeId = RequiredString(node, "typeId"),
        Name = String(node, "name") ?? RequiredString(node, "id"),
        Config = Optional(node, "config") ?? EmptyObject,
        Inputs = Optional(node, "inputs") is { ValueKind: JsonValueKind.Object } inputs
            ? [.. inputs.EnumerateObject().Select(port => KeyValuePair.Create(port.Name, ReadPort(port.Value)))]
            : [],
        Settings = ReadNodeSettings(node),
        Disabled = Flag(node, "disabled"),
        SensitiveOutputs = Optional(node, "outputSensitivity") is { ValueKind: JsonValueKind.Object } ports
            ? [.. ports.EnumerateObject().Where(port => port.Value.ValueKind == JsonValueKind.True).Select(port => port.Name)]
            : [],
        Agent = Optional(node, "agent"),
        CredentialsRef = String(node, "credentialsRef"),
    };

    private static PortValue ReadPort(JsonElement port) => RequiredString(port, "type") switch
    {
        "static" => new PortValue.Static(port.GetProperty("value")),
        "expression" => new PortValue.Expression(RequiredString(port, "expression")),
        "connection" => new PortValue.Connection(RequiredString(port, "nodeId"), RequiredString(port, "outputKey"), Flag(port, "optional")),
        "variable" => new PortValue.Variable(RequiredString(port, "variableName"), Flag(port, "optional")),
        var other => throw new JsonException($"Unknown port value type '{other}'."),
    };

    private static WorkflowEdge ReadEdge(JsonElement edge) => new()
    {
        Id = RequiredString(edge, "id"),
        SourceNodeId = RequiredString(edge, "sourceNodeId"),
        TargetNodeId = RequiredString(edge, "targetNodeId"),
        SourceOutput = String(edge, "sourceOutput") ?? "output",
        TargetInput = String(edge, "targetInput") ?? "input",
        Condition = Optional(edge, "condition") is { ValueKind: JsonValueKind.Object } condition
            ? new EdgeCondition(String(condition, "type"), String(condition, "left"), Optional(condition, "right"), String(condition, "expression"))
            : null,
        TriggerRule = String(edge, "triggerRule") switch
        {
            null => null,
            "all_success" => TriggerRule.AllSuccess,
            "any_success" => TriggerRule.AnySuccess,
            "all_complete" => TriggerRule.AllComplete,
            "none_failed" => TriggerRule.NoneFailed,
            "any_failed" => TriggerRule.AnyFailed,
            var other => throw new JsonException($"Unknown trigger rule '{other}'."),
        },
    };

    private static WorkflowTrigger ReadTrigger(JsonElement trigger) => new()
    {
        Id = RequiredString(trigger, "id"),
        Type = RequiredString(trigger, "type"),
        Enabled = !trigger.TryGetProperty("enabled", out var enabled) || enabled.ValueKind != JsonValueKind.False,
        NodeId = String(trigger, "nodeId"),
        EventType = String(trigger, "eventType"),
        Config = Optional(trigger, "config"),
    };

    private static WorkflowVariable ReadVariable(JsonElement variable) => new()
    {
        Name = RequiredString(variable, "name"),
        Type = RequiredString(variable, "type"),
        Required = Flag(variable, "required"),
        Sensitive = Flag(variable, "sensitive"),
        DefaultValue = Optional(variable, "defaultValue"),
    };

    private static WorkflowSettings ReadSettings(JsonElement root)
    {
        var defaults = new WorkflowSettings();
        return Optional(root, "settings") is not { ValueKind: JsonValueKind.Object } settings
            ? defaults
            : new WorkflowSettings
            {
                TimeoutMs = Integer(settings, "timeout") ?? defaults.TimeoutMs,
                MaxRetries = (int)Math.Clamp(Integer(settings, "maxRetries") ?? 0, 0, MaxRetriesLimit),
                MaxLoopbackIterations = (int)Math.Clamp(
                    Integer(settings, "maxLoopbackIterations") ?? defaults.MaxLoopbackIterations, 1, int.MaxValue),
            };
    }

    private static NodeSettings ReadNodeSettings(JsonElement node)
    {
        var defaults = new NodeSettings();
        return Optional(node, "settings") is not { ValueKind: JsonValueKind.Object } settings
            ? defaults
            : new NodeSettings
            {
                MaxRetries = Integer(settings, "maxRetries") is { } retries ? (int)Math.Clamp(retries, 0, MaxRetriesLimit) : null,
                RetryDelayMs = Math.Clamp(Integer(settings, "retryDelayMs") ?? defaults.RetryDelayMs, 0, MaxDelayMs),
                RetryBackoff = ReadBackoff(settings) ?? defaults.RetryBackoff,
                RetryMaxDelayMs = Math.Clamp(Integer(settings, "retryMaxDelayMs") ?? defaults.RetryMaxDelayMs, 0, MaxDelayMs),
                TimeoutMs = Math.Clamp(Integer(settings, "timeout") ?? Integer(settings, "timeoutMs") ?? 0, 0, MaxDelayMs),
            };
    }

    private static double? ReadBackoff(JsonElement settings) => !settings.TryGetProperty("retryBackoff", out var backoff)
        ? null
        : backoff.ValueKind switch
        {
            JsonValueKind.String when backoff.ValueEquals("fixed") => 1,
            JsonValueKind.String when backoff.ValueEquals("exponential") => 2,
            JsonValueKind.Number when backoff.TryGetDouble(out var factor) => Math.Clamp(factor, 1, 10),
            _ => null,
        };

    private static ImmutableSortedDictionary<string, ChannelDeclaration>? ReadChannels(JsonElement root) =>
        Optional(root, "channels") is not { ValueKind: JsonValueKind.Object } channels
            ? null
            : channels.EnumerateObject().ToImmutableSortedDictionary(
                channel => channel.Name, channel => ReadChannel(channel.Value), StringComparer.Ordinal);

    private static ChannelDeclaration ReadChannel(JsonElement channel) => new()
    {
        Reducer = RequiredString(channel, "reducer"),
        Schema = Optional(channel, "schema"),
        Default = Optional(channel, "default"),
        MaxSize = Integer(channel, "maxSize") is { } size ? (int)Math.Min(size, int.MaxValue) : null,
        TtlMs = Integer(channel, "ttlMs"),
        Options = Optional(channel, "options"),
        Access = Optional(channel, "access"),
        SchemaVersion = (int)Math.Min(Integer(channel, "schemaVersion") ?? 1, int.MaxValue),
        CompatibleWith = [.. Items(channel, "compatibleWith").Select(item => item.TryGetInt32(out var version) ? version : int.MaxValue)],
        Sensitive = Flag(channel, "sensitive"),
    };

    /// <summary>More retries than this are not granted, whatever a definition says.</summary>
    public const int MaxRetriesLimit = 100;

    /// <summary>Longest delay or node timeout in milliseconds: 365 days.</summary>
    public const long MaxDelayMs = 31_536_000_000;

    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement;

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var array) && array.ValueKind == JsonValueKind.Array ? array.EnumerateArray() : default;

    private static JsonElement? Optional(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value : null;

    private static string? String(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string RequiredString(JsonElement parent, string name) =>
        String(parent, name) ?? throw new JsonException($"Member '{name}' must be a string.");

    private static bool Flag(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static long? Integer(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.TryGetInt64(out var integer) ? integer : (long)Math.Clamp(value.GetDouble(), 0, MaxDelayMs)
            : null;
}
