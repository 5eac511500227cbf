using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Runs.V1;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>Families about secrets and language models: each follows from what is configured (spec/agents.md 10).</summary>
internal static class AiCapabilities
{
    private const string SecretEcho = "conformance.secret.echo";
    private const string StructuredOutput = "core.ai.structuredOutput";

    public static void Add(Dictionary<string, JsonNode> families, ServerFacts facts)
    {
        families["secrets"] = new JsonObject { ["supported"] = true, ["scopes"] = new JsonArray("tenant"), ["resolution"] = "host-managed" };
        families["providerUsage"] = new JsonObject { ["supported"] = true };
        var providers = facts.Engine.AiProviders;
        if (providers.Count == 0)
            return;

        families["aiProviders"] = new JsonObject
        {
            ["supported"] = new JsonArray([.. providers.Select(provider => (JsonNode)provider.Id)]),
            ["byok"] = new JsonArray([.. providers.Where(provider => provider.Byok).Select(provider => (JsonNode)provider.Id)]),
            ["authModes"] = new JsonObject(providers.Select(provider => KeyValuePair.Create(provider.Id, (JsonNode?)new JsonArray(provider.Byok ? "apiKey" : "none")))),
            ["policies"] = new JsonObject { ["modes"] = new JsonArray("disabled", "optional", "required", "restricted") },
        };
    }

    /// <summary>Whether a seeded workflow needs a secret or a provider that is not there.</summary>
    public static bool LacksSomething(JsonElement definition, ServerFacts facts) => definition.GetProperty("nodes").EnumerateArray().Any(node =>
        (Member(node, "byokSecretId") is { } secret && !facts.SeededSecrets.Contains(secret)) || node.GetProperty("typeId").GetString() switch
        {
            SecretEcho => !facts.SeededSecrets.Contains(Member(node, "secretId") ?? ""),
            StructuredOutput => !HasProvider(facts.Engine, Member(node, "provider")),
            _ => false,
        });

    /// <summary>Where test seams are on, <c>mock</c> says what they tell it.</summary>
    private static bool HasProvider(ListNodeTypesReply engine, string? id) => engine.AiProviders.Any(provider => provider.Id == id) || (id == "mock" && engine.ProgrammableModel);

    private static string? Member(JsonElement node, string name) =>
        node.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object
        && config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
