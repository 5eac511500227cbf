using System.Diagnostics;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class TracedInstallation() : InstallationFixture(Form.Separate)
{
    protected override Task<(string Name, string Value)[]> SettingsAsync() => Task.FromResult<(string, string)[]>(
    [
        ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"),
        ("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"),
        ("OPENWOP_PUBLIC_URL", "http://127.0.0.1:9"),
    ]);
}

/// <summary>The trace of a run on its way through several processes and out again, while nobody collects spans.</summary>
public sealed class TraceTests(TracedInstallation traced) : IClassFixture<TracedInstallation>
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string Traceparent = $"00-{TraceId}-b7ad6b7169203331-01";

    [Fact]
    public async Task Calls_of_nodes_webhooks_and_callbacks_belong_to_the_trace_that_the_client_names()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var client = new Client(traced.Installation.BaseUrl);
        using (var webhook = await client.SendAsync("POST", "/v1/webhooks", $$"""{"url":"{{receiver.UrlOf("hook")}}","events":["run.started"]}"""))
            Assert.Equal(201, (int)webhook.StatusCode);

        await client.StoreAsync(
            "traced",
            $"[{Client.Node("call", "core.http.request", $$"""{"url":"{{receiver.UrlOf("node")}}","method":"POST","body":{} }""")},{Client.Node("gate", "core.approvalGate")}]",
            """[{"id":"1","sourceNodeId":"call","targetNodeId":"gate"}]""");
        using (var created = await client.SendAsync(
            "POST", "/v1/runs", $$"""{"workflowId":"traced","callbackUrl":"{{receiver.UrlOf("callback")}}"}""", ("traceparent", Traceparent)))
        {
            Assert.Equal(201, (int)created.StatusCode);
            Assert.Equal(TraceId, ActivityContext.Parse(created.Headers.GetValues("traceparent").Single(), null).TraceId.ToHexString());
        }

        foreach (var called in new[] { "node", "callback", "hook" })
        {
            await Eventually.TrueAsync(() => receiver.TakenBy(called).Count > 0, called);
            var traceparent = receiver.TakenBy(called)[0].Headers.GetValueOrDefault("traceparent");
            Assert.Equal(TraceId, ActivityContext.Parse(traceparent ?? "", null).TraceId.ToHexString());
        }
    }

    [Fact]
    public async Task A_run_without_one_begins_a_trace_when_somebody_collects_and_the_answer_names_it()
    {
        await using var receiver = await HookReceiver.StartAsync();
        await using var installation = await Installation.StartAsync(
            Form.Separate, ("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync("traced", $"[{Client.Node("call", "core.http.request", $$"""{"url":"{{receiver.UrlOf("node")}}","method":"POST","body":{} }""")}]");
        using var created = await client.SendAsync("POST", "/v1/runs", """{"workflowId":"traced"}""");
        var trace = ActivityContext.Parse(created.Headers.GetValues("traceparent").Single(), null).TraceId;

        await Eventually.TrueAsync(() => receiver.TakenBy("node").Count > 0);
        Assert.Equal(trace, ActivityContext.Parse(receiver.TakenBy("node")[0].Headers["traceparent"], null).TraceId);
    }
}
