using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Managing secrets, where the host describes routes for it: a value goes in and never comes back.</summary>
internal static class SecretScenarios
{
    private const string Section = "7.9 Secrets and redaction";
    private const string Canary = "sk-CANARY-openwop-never-secret-0005";
    private static readonly Gate Managed = new("PUT /v1/secrets/{secretId}", static suite => suite.Contract.Describes("putSecret"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A stored secret is listed without its value and can be removed", Managed, async suite =>
        {
            var path = "/v1/secrets/conformance-" + Guid.NewGuid().ToString("n");
            var created = (await PutAsync(suite.Host, path, Canary)).Expecting(201);
            var replaced = (await PutAsync(suite.Host, path, Canary + "-next")).Expecting(200);
            Expect.Equal(created.Json.GetProperty("version").GetInt64() + 1, replaced.Json.GetProperty("version").GetInt64(), "version of the replaced secret");
            var listed = (await suite.Host.GetAsync("/v1/secrets?limit=200")).Expecting(200);
            Expect.That(listed.Json.GetProperty("secrets").EnumerateArray().Any(secret => path.EndsWith(secret.GetProperty("secretId").GetString()!, StringComparison.Ordinal)), "The secret is not listed.");
            foreach (var reply in new[] { created, replaced, listed })
                Expect.That(!reply.Text.Contains("CANARY", StringComparison.Ordinal), $"The value comes back: {reply.Text}");

            (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
            (await suite.Host.SendAsync("DELETE", path, null)).Expecting(404);
        }),
        new(Section, "A refused secret is not repeated in the answer", Managed, async suite =>
        {
            foreach (var body in new[] { $$"""{"valeu":"{{Canary}}"}""", $$"""{"value":["{{Canary}}"]}""", $$"""{"value":"{{Canary}}","{{Canary}}":1}""", $"\"{Canary}\"", $"{Canary}" })
            {
                var reply = await suite.Host.SendAsync("PUT", "/v1/secrets/refused", body);
                Expect.That(reply.Status == 400 && !reply.Text.Contains("CANARY", StringComparison.Ordinal), $"{reply.Status} {reply.Text}");
            }
        }),
        new(Section, "Secrets take a scope of their own", Managed.And(Gate.LowScopeKey), async suite =>
        {
            (await PutAsync(suite.LowScope!, "/v1/secrets/refused", Canary)).Expecting(403);
            (await suite.LowScope!.GetAsync("/v1/secrets")).Expecting(403);
        }),
    ];

    private static Task<Reply> PutAsync(HostClient host, string path, string value) =>
        host.SendAsync("PUT", path, JsonSerializer.Serialize(new { value, description = "for a test" }));
}
