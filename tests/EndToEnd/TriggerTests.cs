using System.Net;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class EmbeddedTriggerTests(EmbeddedInstallation installation) : TriggerTests(installation), IClassFixture<EmbeddedInstallation>;

public sealed class ServerTriggerTests(ServerInstallation installation) : TriggerTests(installation), IClassFixture<ServerInstallation>;

/// <summary>Runs start runs over the wire, with the real engine behind.</summary>
public abstract class TriggerTests(InstallationFixture fixture)
{
    [Fact]
    public async Task The_end_of_a_run_starts_another_one_that_names_its_cause()
    {
        using var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync("trigger-source", $"[{Client.Node("a", "core.noop")}]");
        await client.StoreAsync("trigger-target", $"[{Client.Node("a", "core.noop")}]");
        var trigger = await MakeAsync(client, """{"workflowId":"trigger-target","on":{"events":["run.completed"],"workflowId":"trigger-source"},"inputs":{"who":"runId"}}""");

        var sourceId = await client.CreateAsync("trigger-source");
        var runId = await StartedAsync(client, trigger);

        await client.UntilAsync(runId, "completed");
        Assert.Equal(sourceId, (await client.GetAsync("/v1/runs/" + runId)).GetProperty("inputs").GetProperty("who").GetString());
        var started = (await client.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).GetProperty("events")[0];
        var firing = Assert.Single(await FiringsAsync(client, trigger));
        Assert.Equal(firing.GetProperty("id").GetString(), started.GetProperty("causationId").GetString());
        var source = started.GetProperty("payload").GetProperty("metadata").GetProperty("trigger");
        Assert.Equal(("event", sourceId), (source.GetProperty("source").GetString(), source.GetProperty("sourceRunId").GetString()));
        await DeleteAsync(client, trigger);
    }

    [Fact]
    public async Task A_write_to_a_channel_starts_a_run_with_what_was_written()
    {
        using var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync("trigger-writer", $"[{Client.Node("a", "core.channelWrite", """{"channelName":"orders","value":{"n":1}}""")}]");
        await client.StoreAsync("trigger-reader", $"[{Client.Node("a", "core.noop")}]");
        var trigger = await MakeAsync(client, """{"workflowId":"trigger-reader","on":{"channel":"orders"},"inputs":{"order":"event:/payload/value"}}""");
        await client.CreateAsync("trigger-writer");
        var runId = await StartedAsync(client, trigger);
        Assert.Equal("""{"n":1}""", (await client.GetAsync("/v1/runs/" + runId)).GetProperty("inputs").GetProperty("order").GetRawText());
        await DeleteAsync(client, trigger);
    }

    [Fact]
    public async Task Triggers_that_lead_to_each_other_come_to_an_end_also_through_children_and_forks()
    {
        using var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync("circle-inner", $"[{Client.Node("a", "core.noop")}]");
        await client.StoreAsync("circle-one", $"[{Client.Node("a", "core.noop")}]");
        await client.StoreAsync("beside-the-circle", $"[{Client.Node("a", "core.noop")}]");
        await client.StoreAsync("circle-two", $"[{Client.Node("a", "core.subWorkflow", """{"workflowId":"circle-inner"}""")}]");

        // The first leads to a run with a child, the end of which fires the second, which leads back.
        var there = await MakeAsync(client, """{"workflowId":"circle-two","on":{"events":["run.completed"],"workflowId":"circle-one"}}""");
        var back = await MakeAsync(client, """{"workflowId":"circle-one","on":{"events":["run.completed"],"workflowId":"circle-inner"}}""");
        await client.CreateAsync("circle-one");

        var second = await StartedAsync(client, there);
        var third = await StartedAsync(client, back);
        await client.UntilAsync(second, "completed");
        await client.UntilAsync(third, "completed");

        // A fork is of the same making as its source: its end fires nothing either. When a later run has, all of theirs would have, too.
        using (var fork = await client.SendAsync("POST", $"/v1/runs/{third}:fork", """{"mode":"branch","fromSeq":1}"""))
            await client.UntilAsync(JsonElement.Parse(await fork.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!, "completed");

        var other = await MakeAsync(client, """{"workflowId":"beside-the-circle","on":{"events":["run.completed"],"workflowId":"circle-one"}}""");
        await client.CreateAsync("circle-one");
        await StartedAsync(client, other);
        await Eventually.TrueAsync(async () => (await FiringsAsync(client, there)).Count(firing => firing.TryGetProperty("runId", out _)) == 2);
        Assert.Equal(2, (await client.GetAsync("/api/runs?workflowId=circle-two")).GetProperty("data").GetArrayLength());
        foreach (var trigger in new[] { there, back, other })
            await DeleteAsync(client, trigger);
    }

    [Fact]
    public async Task Triggers_are_looked_after_on_the_authoring_plane()
    {
        using var client = new Client(fixture.Installation.BaseUrl);
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        using var reader = new Client(fixture.Installation.BaseUrl, Installation.ReaderKey);
        await client.StoreAsync("trigger-target", $"[{Client.Node("a", "core.noop")}]");
        const string Body = """{"workflowId":"trigger-target","on":{"events":["run.failed"]}}""";
        var trigger = await MakeAsync(client, Body);
        var path = "/api/triggers/" + trigger;
        Assert.Contains((await client.GetAsync("/api/triggers?limit=200")).GetProperty("data").EnumerateArray(), entry => entry.GetProperty("id").GetString() == trigger);
        foreach (var (method, suffix, state) in new[] { ("POST", "/pause", "paused"), ("POST", "/resume", "active") })
        {
            using var changed = await client.SendAsync(method, path + suffix);
            Assert.Equal((HttpStatusCode.OK, state), (changed.StatusCode, JsonElement.Parse(await changed.Content.ReadAsStringAsync()).GetProperty("state").GetString()));
        }

        using (var changed = await client.SendAsync("PATCH", path, """{"ratePerMinute":7}"""))
            Assert.Equal(7, JsonElement.Parse(await changed.Content.ReadAsStringAsync()).GetProperty("ratePerMinute").GetInt32());

        foreach (var method in new[] { "GET", "PATCH", "DELETE" })
        {
            using var foreign = await other.SendAsync(method, path, method == "PATCH" ? "{}" : null);
            Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
        }

        using (var refused = await reader.SendAsync("POST", "/api/triggers", Body))
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        using (var none = await client.SendAsync("POST", path + "/firings/fir_none/replay"))
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);

        await DeleteAsync(client, trigger);
        using var gone = await client.SendAsync("GET", path);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    private static async Task<string> MakeAsync(Client client, string body)
    {
        using var response = await client.SendAsync("POST", "/api/triggers", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, text);
        return JsonElement.Parse(text).GetProperty("id").GetString()!;
    }

    private static async Task DeleteAsync(Client client, string trigger)
    {
        using var response = await client.SendAsync("DELETE", "/api/triggers/" + trigger);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private static async Task<JsonElement[]> FiringsAsync(Client client, string trigger) =>
        [.. (await client.GetAsync($"/api/triggers/{trigger}/firings")).GetProperty("data").EnumerateArray()];

    /// <summary>The run that the trigger has started first.</summary>
    private static async Task<string> StartedAsync(Client client, string trigger)
    {
        await Eventually.TrueAsync(async () => (await FiringsAsync(client, trigger)).Any(firing => firing.TryGetProperty("runId", out _)), "a run is started");
        return (await FiringsAsync(client, trigger))[^1].GetProperty("runId").GetString()!;
    }
}
