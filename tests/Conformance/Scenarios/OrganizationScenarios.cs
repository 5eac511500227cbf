using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Organizations, members, keys and sessions, where the host describes them.</summary>
internal static class OrganizationScenarios
{
    private const string Section = "Organizations";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A caller is told who it is, and which roles there are", AuthoringScenarios.Describes("getMe"), async suite =>
        {
            var me = (await suite.Host.GetAsync("/api/me")).Expecting(200).Json;
            var id = me.GetProperty("organization").GetProperty("id").GetString();
            Expect.Equal(id, (await suite.Host.GetAsync("/api/organizations/current")).Expecting(200).Json.GetProperty("id").GetString(), "id of the organization");
            Expect.Equal(1, (await suite.Host.GetAsync("/api/organizations")).Expecting(200).Json.GetProperty("data").GetArrayLength(), "organizations");
            (await suite.Host.GetAsync("/api/roles")).Expecting(200);
            (await suite.Host.GetAsync("/api/organizations/another-one")).Expecting(404);
            (await suite.Anonymous.GetAsync("/api/me")).Expecting(401, "unauthorized");
        }),
        new(Section, "Anybody founds an organization, where that is open", AuthoringScenarios.Describes("signUp"), async suite =>
        {
            var founded = await suite.Anonymous.PostAsync("/api/sign-up", new { name = "Ada", organization = "Engines", mode = "test" });
            if (founded.Status == 404)
                return;

            var owner = suite.As(founded.Expecting(201).Json.GetProperty("key").GetString()!);
            Expect.Equal("owner", (await owner.GetAsync("/api/me")).Expecting(200).Json.GetProperty("member").GetProperty("role").GetString(), "role");
            Expect.Equal("Mills", (await owner.SendAsync("PATCH", "/api/organizations/current", """{"name":"Mills"}""")).Expecting(200).Json.GetProperty("name").GetString(), "name");
            var id = founded.Json.GetProperty("member").GetProperty("id").GetString();
            (await owner.SendAsync("DELETE", $"/api/members/{id}", null)).Expecting(409, "last_owner");
            (await owner.GetAsync("/api/audit")).Expecting(200);
        }),
        new(Section, "Whoever is not let in is told nothing", AuthoringScenarios.Describes("bootstrap"), async suite =>
        {
            (await suite.Anonymous.PostAsync("/api/bootstrap", new { token = "not-the-token-of-this-host" })).Expecting(401, 404);
            (await suite.Anonymous.PostAsync("/api/invitations/accept", new { token = "inv_not-an-invitation" })).Expecting(404);
        }),
        new(Section, "A member is invited, comes in, gets another role and goes", AuthoringScenarios.Describes("invite"), MemberAsync),
        new(Section, "A key is made, rotated and revoked", AuthoringScenarios.Describes("createKey"), async suite =>
        {
            var made = (await suite.Host.PostAsync("/api/keys", new { name = "conformance", scopes = new[] { "runs:read" } })).Expecting(201).Json;
            var path = "/api/keys/" + made.GetProperty("id").GetString();
            var rotated = (await suite.Host.PostAsync(path + "/rotate", new { graceSeconds = 0 })).Expecting(201).Json;
            (await suite.As(rotated.GetProperty("key").GetString()!).GetAsync("/api/me")).Expecting(200);
            (await suite.Host.GetAsync("/api/keys?limit=1")).Expecting(200);
            path = "/api/keys/" + rotated.GetProperty("id").GetString();
            (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
            (await suite.Host.SendAsync("DELETE", "/api/keys/none", null)).Expecting(404);
        }),
        new(Section, "A session stands for a key, and takes a token for what changes something", AuthoringScenarios.Describes("openSession"), SessionAsync),
    ];

    private static async Task MemberAsync(Suite suite)
    {
        var withdrawn = (await suite.Host.PostAsync("/api/invitations", new { role = "viewer" })).Expecting(201).Json;
        (await suite.Host.GetAsync("/api/invitations?limit=1")).Expecting(200);
        (await suite.Host.SendAsync("DELETE", "/api/invitations/" + withdrawn.GetProperty("id").GetString(), null)).Expecting(204);
        (await suite.Anonymous.PostAsync("/api/invitations/accept", new { token = withdrawn.GetProperty("token").GetString() })).Expecting(404);

        var token = (await suite.Host.PostAsync("/api/invitations", new { role = "runner", name = "Grace" })).Expecting(201).Json.GetProperty("token").GetString();
        var accepted = (await suite.Anonymous.PostAsync("/api/invitations/accept", new { token })).Expecting(201).Json;
        (await suite.Anonymous.PostAsync("/api/invitations/accept", new { token })).Expecting(404);
        var path = "/api/members/" + accepted.GetProperty("member").GetProperty("id").GetString();
        var member = suite.As(accepted.GetProperty("key").GetString()!);
        (await member.GetAsync("/api/runs?limit=1")).Expecting(200);
        (await member.PostAsync("/api/workflows", new { })).Expecting(403, "forbidden");

        (await suite.Host.GetAsync("/api/members?limit=1")).Expecting(200);
        Expect.Equal("viewer", (await suite.Host.SendAsync("PATCH", path, """{"role":"viewer"}""")).Expecting(200).Json.GetProperty("role").GetString(), "role");
        (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
        await suite.UntilUnauthorizedAsync(() => member.GetAsync("/api/runs?limit=1"));
    }

    private static async Task SessionAsync(Suite suite)
    {
        var opened = (await suite.Host.PostAsync("/api/sessions")).Expecting(201);
        var cookie = ("Cookie", opened.Header("Set-Cookie")!.Split(';')[0]);
        var token = opened.Json.GetProperty("csrfToken").GetString()!;
        var current = (await suite.Anonymous.GetAsync("/api/sessions/current", cookie)).Expecting(200).Json;
        Expect.Equal(token, current.GetProperty("csrfToken").GetString(), "csrfToken");
        (await suite.Anonymous.GetAsync("/api/sessions/current", cookie, ("Sec-Fetch-Site", "cross-site"))).Expecting(401);
        (await suite.Anonymous.SendAsync("DELETE", "/api/sessions/current", null, cookie)).Expecting(403);
        (await suite.Anonymous.SendAsync("DELETE", "/api/sessions/current", null, cookie, ("X-CSRF-Token", token))).Expecting(204);
        await suite.UntilUnauthorizedAsync(() => suite.Anonymous.GetAsync("/api/sessions/current", cookie));
        (await suite.Host.GetAsync("/api/sessions/current")).Expecting(404);
    }
}
