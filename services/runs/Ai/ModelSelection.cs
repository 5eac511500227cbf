using System.Text.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>Who answers, as which model, with whose key.</summary>
/// <param name="ProviderId">As it is reported.</param>
/// <param name="Provider">Null for a mock.</param>
internal sealed record ChosenModel(string ProviderId, AiProvider? Provider, IModelProvider Adapter, string Model, string? Credential);

/// <summary>Finds provider, model and credential of a call in the order of spec/agents.md 10: options of the run win over the node.</summary>
internal sealed class ModelSelection(AiProviders providers, ModelAdapters adapters, ProgrammedModels programs, TimeProvider clock)
{
    private const string MockName = "mock";

    /// <summary>The secret that a node's call would take its key from.</summary>
    public static string? CredentialRef(WorkflowNode node, JsonElement configurable) =>
        Option(configurable, ReservedOptions.AiCredentialRef) ?? node.CredentialsRef ?? node.Config.StringMember("credentialRef");

    public (ChosenModel? Chosen, NodeError? Error) Choose(NodeContext context)
    {
        var (configurable, config) = (context.Configurable, context.Node.Config);
        var asked = Option(configurable, ReservedOptions.AiModel) ?? configurable.StringMember("model") ?? config.StringMember("model");
        if (MockProviders.Of(configurable, clock, out var wrong) is { } mock)
            return wrong is not null ? (null, wrong) : (new ChosenModel(MockName, null, mock, asked ?? MockName, null), null);

        // 1. Provider
        var named = Option(configurable, ReservedOptions.AiProvider) ?? config.StringMember("provider");
        if (named == ProgrammedModels.ProviderId && programs.AreOn)
            return (new ChosenModel(named, null, programs.Of(context), asked ?? ProgrammedModels.DefaultModel, null), null);

        if (providers.Find(named) is not { } provider)
            return Fail("validation_error", named is null ? "This server has no AI provider." : "The node names a provider that this server does not have.", null);

        if ((asked ?? provider.DefaultModel) is not { Length: > 0 and <= 256 } model)
            return Fail(NodeParameters.InvalidCode, "Neither the run nor the node names a model.", null);

        // 2. Policy
        var reference = CredentialRef(context.Node, configurable);
        var credential = reference is not null ? context.Secrets.GetValueOrDefault(reference) : null;
        if (Denial(provider, model, reference, credential) is { } reason)
            return Fail("provider_policy_denied", "The provider may not be used like this.", reason);

        // 3. and 4. Credential
        if (reference is not null && provider.IsKeyless)
            return Fail("credential_forbidden", "The provider does not take a key.", null);

        if (reference is not null && credential is null)
            return Fail("credential_not_found", "The credential that the run or the node refers to does not exist.", null);

        credential ??= provider.Key;
        return credential is null && !provider.IsKeyless
            ? Fail("credential_required", "The provider needs a key, and there is none.", null)
            : (new ChosenModel(provider.Id, provider, adapters.Of(provider), model, credential), null);
    }

    /// <summary>A reserved key, which may be spelled flat or nested.</summary>
    public static string? Option(JsonElement configurable, string key)
    {
        if (configurable.StringMember(key) is { } flat)
            return flat;

        var dot = key.IndexOf('.', StringComparison.Ordinal);
        return configurable.Member(key[..dot])?.StringMember(key[(dot + 1)..]);
    }

    private static string? Denial(AiProvider provider, string model, string? reference, string? credential) => provider.Policy switch
    {
        ProviderPolicy.Disabled => "provider_disabled",
        ProviderPolicy.Required when reference is null => "byok_required",
        ProviderPolicy.Required when credential is null => "byok_required_but_unresolved",
        ProviderPolicy.Restricted when !provider.Allows(model) => "model_not_allowed",
        _ => null,
    };

    private static (ChosenModel? Chosen, NodeError Error) Fail(string code, string message, string? reason) => (null, new NodeError(
        code, message, Retryable: false, reason is null ? null : NodeJson.Object(writer => writer.WriteString("reason", reason))));
}
