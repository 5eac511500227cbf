using System.Text;
using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Who may call which provider, with whose key; and that nobody sees the key.</summary>
internal static class ProviderScenarios
{
    private const string Section = "7.2 Providers";
    private const string Canary = "sk-CANARY-openwop-never-secret-0006";

    private static readonly Gate Advertised = Gate.Family("aiProviders");
    private static readonly Gate Observed = Advertised.And(Gate.StoresWorkflows).And(Gate.StandIns);
    private static readonly string[] AuthModes = ["apiKey", "oauth-pkce", "oauth-device", "none"];

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "The block about providers has its shape", Advertised, suite =>
        {
            var supported = Names(suite, "supported");
            Expect.That(supported.Count > 0 && supported.Distinct().Count() == supported.Count, "aiProviders.supported");
            Expect.That(Names(suite, "byok").All(supported.Contains), "A provider takes keys of callers and is not supported.");
            foreach (var provider in suite.Advertised["aiProviders", "authModes"].EnumerateObject())
            {
                var modes = provider.Value.EnumerateArray().Select(mode => mode.GetString()!).ToList();
                Expect.That(supported.Contains(provider.Name) && modes.All(AuthModes.Contains), $"aiProviders.authModes.{provider.Name}");
                Expect.Equal(modes.Contains("apiKey"), Names(suite, "byok").Contains(provider.Name), $"whether {provider.Name} takes keys");
            }

            return Task.CompletedTask;
        }),
        .. new[]
        {
            ("A provider that is switched off is not asked", "off", "m", null, "provider_policy_denied", "provider_disabled"),
            ("A provider that takes keys of callers only is not asked without one", "anthropic", "m", null, "provider_policy_denied", "byok_required"),
            ("A provider that takes keys of callers only is not asked with one that is not there", "anthropic", "m", "missing", "provider_policy_denied", "byok_required_but_unresolved"),
            ("A model that is not on the list is not asked", "picky", "bad", null, "provider_policy_denied", "model_not_allowed"),
            ("A key that does not exist is not replaced by another one", "openai", "m", "missing", "credential_not_found", null),
            ("A provider without keys is given none", "local", "m", "missing", "credential_forbidden", null),
            ("A provider that nobody has configured is not asked", "nobody", "m", null, "validation_error", (string?)null),
        }.Select(denied => new Scenario(Section, denied.Item1, Observed, suite => DeniedAsync(suite, denied.Item2, denied.Item3, denied.Item4, denied.Item5, denied.Item6))),
        new(Section, "A model that is on the list is asked", Observed, async suite =>
            await suite.CompleteAsync(await StoreAsync(suite, "picky", ModelScenarios.ModelNamed("good-1")))),
        new(Section, "A caller's own key is used, and comes back nowhere", Observed, OwnKeyAsync),
        new(Section, "The operator's key is not told to those whose calls fail", Observed, async suite =>
        {
            var runId = await suite.CreateAsync(await StoreAsync(suite, "openai", ModelScenarios.ModelNamed("locked")));
            var snapshot = await suite.UntilAsync(runId, "failed");
            Expect.Equal("provider_auth_failed", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            foreach (var text in await TraceAsync(suite, runId))
                Expect.That(!text.Contains("OPERATOR", StringComparison.Ordinal), $"The key of the operator is shown: {text}");
        }),
    ];

    private static List<string> Names(Suite suite, string member) => [.. suite.Advertised["aiProviders", member].EnumerateArray().Select(name => name.GetString()!)];

    private static Task<string> StoreAsync(Suite suite, string provider, string model) =>
        suite.StoreAsync("core.ai.callPrompt", new { provider, model, prompt = "Say hello" });

    private static async Task DeniedAsync(Suite suite, string provider, string behavior, string? credential, string code, string? reason)
    {
        var model = ModelScenarios.ModelNamed(behavior);
        var configurable = credential is null ? null : new { ai = new { credentialRef = credential } };
        var error = (await suite.UntilAsync(await suite.CreateAsync(await StoreAsync(suite, provider, model), null, configurable), "failed")).GetProperty("error");
        Expect.Equal(code, error.GetProperty("code").GetString(), "error.code");
        if (reason is not null)
            Expect.Equal(reason, error.GetProperty("details").GetProperty("reason").GetString(), "error.details.reason");
        Expect.Equal(0, suite.StandIns!.Models.Of(model).Count(), "calls that arrived");
    }

    private static async Task OwnKeyAsync(Suite suite)
    {
        var secretId = "conformance-" + Guid.NewGuid().ToString("n");
        (await suite.Host.SendAsync("PUT", $"/v1/secrets/{secretId}", JsonSerializer.Serialize(new { value = Canary }))).Expecting(201);
        var model = ModelScenarios.ModelNamed("leaky");
        var runId = await suite.CreateAsync(await StoreAsync(suite, "openai", model), null, new { ai = new { credentialRef = secretId } });
        var streamed = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages")).Ended();
        await suite.UntilAsync(runId, "completed");

        Expect.Equal(Canary, suite.StandIns!.Models.Of(model).Single().Key, "key that arrived");
        var chunks = string.Concat(streamed.Frames.Select(frame => frame.Data.GetProperty("chunk").GetString()));
        Expect.That(chunks.StartsWith($"the key is [REDACTED:{secretId}]", StringComparison.Ordinal), chunks);
        foreach (var text in (await TraceAsync(suite, runId)).Append(chunks))
            Expect.That(!text.Contains("CANARY", StringComparison.Ordinal) && !text.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)), StringComparison.Ordinal), $"The key comes back: {text}");
    }

    /// <summary>Everything that is told of a run.</summary>
    private static async Task<IReadOnlyList<string>> TraceAsync(Suite suite, string runId) =>
    [
        (await suite.Host.GetAsync($"/v1/runs/{runId}")).Text,
        (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll")).Text,
        (await suite.Host.GetAsync($"/v1/runs/{runId}/debug-bundle")).Text,
    ];
}
