using System.Net;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class EmbeddedScheduleTests(EmbeddedInstallation installation) : ScheduleTests(installation), IClassFixture<EmbeddedInstallation>;

public sealed class ServerScheduleTests(ServerInstallation installation) : ScheduleTests(installation), IClassFixture<ServerInstallation>;

/// <summary>Schedules over the wire, with the real engine behind them.</summary>
public abstract class ScheduleTests(InstallationFixture fixture)
{
    [Fact]
    public async Task A_schedule_makes_a_run_of_its_workflow_with_its_payload()
    {
        using var client = await ClientAsync();
        var at = DateTimeOffset.UtcNow.AddSeconds(1.5).ToString("O");
        var (status, made) = await SendAsync(client, "POST", "/api/schedules", $$"""{"workflowId":"scheduled","at":"{{at}}","payload":{"greeting":"hello"} }""");
        Assert.Equal(HttpStatusCode.Created, status);
        var id = made.GetProperty("id").GetString();

        var runId = "";
        await Eventually.TrueAsync(async () =>
        {
            var schedule = await client.GetAsync($"/api/schedules/{id}");
            runId = schedule.TryGetProperty("lastRunId", out var run) ? run.GetString()! : "";
            return runId.Length > 0;
        });

        await Eventually.TrueAsync(async () => (await client.GetAsync($"/v1/runs/{runId}")).GetProperty("status").GetString() == "completed");
        Assert.Equal("hello", (await client.GetAsync($"/v1/runs/{runId}")).GetProperty("variables").GetProperty("greeting").GetString());
        var fire = Assert.Single((await client.GetAsync($"/api/schedules/{id}/fires")).GetProperty("data").EnumerateArray());
        Assert.Equal((runId, "fired"), (fire.GetProperty("runId").GetString(), fire.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task The_routes_answer_in_the_vocabulary_of_the_authoring_plane()
    {
        using var client = await ClientAsync();
        using var reader = new Client(fixture.Installation.BaseUrl, Installation.ReaderKey);
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        const string Body = """{"workflowId":"scheduled","cron":"0 3 * * *","timezone":"Europe/Berlin"}""";

        var (status, made) = await SendAsync(client, "POST", "/api/schedules", Body);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("0 3 * * *", made.GetProperty("cron").GetString());
        var path = $"/api/schedules/{made.GetProperty("id").GetString()}";

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_cron"), await RefusedAsync(client, "POST", "/api/schedules", Body.Replace("0 3", "60 3", StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_timezone"), await RefusedAsync(client, "POST", "/api/schedules", Body.Replace("Berlin", "Bonn", StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_body"), await RefusedAsync(client, "POST", "/api/schedules", "{"));
        Assert.Equal((HttpStatusCode.NotFound, "workflow_not_found"), await RefusedAsync(client, "POST", "/api/schedules", Body.Replace("scheduled", "absent", StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), await RefusedAsync(reader, "POST", "/api/schedules", Body));
        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), await RefusedAsync(reader, "POST", "/api/admin/tick"));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(other, "GET", path));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(other, "DELETE", path));

        var page = await client.GetAsync("/api/schedules?limit=1");
        Assert.Equal(1, page.GetProperty("data").GetArrayLength());
        Assert.Equal(2, (await client.GetAsync($"{path}/preview?count=2")).GetProperty("data").GetArrayLength());
        Assert.False((await SendAsync(client, "PATCH", path, """{"enabled":false}""")).Body.GetProperty("enabled").GetBoolean());
        var tick = (await SendAsync(client, "POST", "/api/admin/tick")).Body;
        Assert.Equal(["fired", "failed", "skippedAlreadyFired", "skippedNotMatching", "skippedExpired"], tick.EnumerateObject().Select(member => member.Name));

        using var deleted = await client.SendAsync("DELETE", path);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(client, "GET", path));
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(Client client, string method, string path, string? body = null)
    {
        using var response = await client.SendAsync(method, path, body);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private static async Task<(HttpStatusCode Status, string? Error)> RefusedAsync(Client client, string method, string path, string? body = null)
    {
        var (status, answer) = await SendAsync(client, method, path, body);
        return (status, answer.GetProperty("error").GetString());
    }

    private async Task<Client> ClientAsync()
    {
        var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync("scheduled", $"[{Client.Node("a", "core.noop")}]");
        return client;
    }
}
