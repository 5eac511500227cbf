using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.2: credentials, errors, policies.</summary>
internal static class CallerScenarios
{
    private const string Section = "7.2 Auth, errors, policies";
    private static readonly Gate Noop = Gate.Fixtures("conformance-noop");

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A call without a credential is refused", Gate.Base, async suite =>
            (await suite.Anonymous.PostAsync("/v1/runs", Suite.Body("conformance-noop"))).Expecting(401, "unauthenticated")),
        new(Section, "A call with an unknown credential is refused", Gate.Base, async suite =>
            (await suite.As("hk_nobody-has-this-key-000000").PostAsync("/v1/runs", Suite.Body("conformance-noop"))).Expecting(401, "unauthenticated")),
        new(Section, "Another scheme than Bearer is no credential", Gate.Base, async suite =>
            (await suite.Anonymous.GetAsync("/v1/runs/none", ("Authorization", $"Basic {suite.Host.Key}"))).Expecting(401, "unauthenticated")),
        new(Section, "The credential comes before existence", Gate.Base, async suite =>
        {
            foreach (var path in new[] { "/v1/runs/none", "/v1/runs/none/events", "/v1/runs/none/events/poll", "/v1/workflows/none" })
                (await suite.Anonymous.GetAsync(path)).Expecting(401, "unauthenticated");
        }),
        new(Section, "A missing scope is named below details", Noop.And(Gate.LowScopeKey), MissingScopeAsync),
        new(Section, "A run of another tenant does not exist", Noop.And(Gate.OtherTenantKey), OtherTenantAsync),
        new(Section, "Not found is answered with the closed envelope", Gate.Base, async suite =>
        {
            var reply = (await suite.Host.GetAsync("/v1/runs/run-that-never-was")).Expecting(404, "not_found");
            Expect.That(!reply.Json.TryGetProperty("correlationId", out _), "correlationId stands at the top level");
        }),
        new(Section, "A body that is not understood is refused", Gate.Base, async suite =>
        {
            foreach (var body in new[] { "{", "[]", "{}", """{"workflowId":7}""", """{"workflowId":"conformance-noop","workflowID":"x"}""", """{"workflowId":"conformance-noop","inputs":[]}""" })
                (await suite.Host.SendAsync("POST", "/v1/runs", body)).Expecting(400, "validation_error");
        }),
        new(Section, "An unknown workflow cannot be run", Gate.Base, async suite =>
            (await suite.Host.PostAsync("/v1/runs", Suite.Body("workflow-that-never-was"))).Expecting(400, "validation_error")),
        new(Section, "A path without a version is refused, an unknown one not found", Gate.Base, async suite =>
        {
            (await suite.Host.GetAsync("/runs")).Expecting(400);
            (await suite.Host.GetAsync("/v1/nothing-of-the-kind")).Expecting(404);
        }),
        new(Section, "Provider policies have their vocabulary", Gate.Family("aiProviders.policies"), PoliciesAsync),
    ];

    private static async Task MissingScopeAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync("conformance-noop");
        (await suite.LowScope!.GetAsync($"/v1/runs/{runId}")).Expecting(200);
        var reply = (await suite.LowScope.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(403, "forbidden");
        Expect.Equal("runs:cancel", reply.Details.GetProperty("scopeRequired").GetString(), "details.scopeRequired");
    }

    private static async Task OtherTenantAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync("conformance-noop");
        var foreign = (await suite.OtherTenant!.GetAsync($"/v1/runs/{runId}")).Expecting(404, "not_found");
        var absent = (await suite.OtherTenant.GetAsync("/v1/runs/run-that-never-was")).Expecting(404, "not_found");
        Expect.Equal(absent.Text, foreign.Text, "the answer about a run of another tenant");
        (await suite.OtherTenant.GetAsync($"/v1/runs/{runId}/events")).Expecting(404);
        (await suite.OtherTenant.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(404);
    }

    private static Task PoliciesAsync(Suite suite)
    {
        var policies = suite.Advertised["aiProviders", "policies"];
        var modes = policies.GetProperty("modes").EnumerateArray().Select(mode => mode.GetString()!).ToList();
        Expect.That(modes.All(mode => mode is "disabled" or "optional" or "required" or "restricted"), "policies.modes");
        Expect.Equal(modes.Count, modes.Distinct(StringComparer.Ordinal).Count(), "distinct policies.modes");
        Expect.That(!modes.Contains("restricted") || modes.Contains("optional"), "restricted without optional");
        if (policies.TryGetProperty("errorCode", out var code))
            Expect.That(code.ValueKind == JsonValueKind.String && code.GetString() is { Length: > 0 }, "policies.errorCode");
        return Task.CompletedTask;
    }
}
