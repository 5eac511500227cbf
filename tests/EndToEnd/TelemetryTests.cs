using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>What a collector gets to see of runs.</summary>
public sealed class TelemetryTests
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string Traceparent = $"00-{TraceId}-b7ad6b7169203331-01";

    [Fact]
    public async Task A_run_and_its_nodes_are_spans_of_the_trace_that_the_client_names()
    {
        await using var collector = await Collector.StartAsync();
        await using var installation = await StartAsync(collector, "http/json");
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync(
            "traced",
            $"[{Client.Node("a", "core.noop")},{Client.Node("call", "core.http.request", $$"""{"url":"{{collector.Url}}echo","method":"GET"}""")},{Client.Node("cost", "conformance.cost.emit", """{"attrs":{"openwop.cost.tokens.input":3,"openwop.cost.evil":"sk-ant-CANARY"}}""")}]",
            """[{"id":"1","sourceNodeId":"a","targetNodeId":"call"},{"id":"2","sourceNodeId":"call","targetNodeId":"cost"}]""");
        var run = await client.CreateAsync("traced", ("traceparent", Traceparent));

        var spans = await collector.SpansOfAsync(run, count: 4);
        Assert.All(spans, span => Assert.Equal(TraceId, span.TraceId));
        var root = Assert.Single(spans, span => span.Name == "openwop.run");
        Assert.Equal("b7ad6b7169203331", root.ParentId);
        Assert.Equal("traced", root["openwop.workflow_id"]);
        Assert.Equal("completed", root["openwop.run_status"]);

        var call = Assert.Single(spans, span => span.Name == "openwop.node.core.http.request");
        Assert.Equal(root.Id, call.ParentId);
        Assert.Equal(("call", "core.http.request", "0"), (call["openwop.node_id"], call["openwop.node_type"], call["openwop.node_attempt"]));

        var cost = Assert.Single(spans, span => span.Name == "openwop.node.conformance.cost.emit");
        Assert.Equal("3", cost["openwop.cost.tokens.input"]);
        Assert.DoesNotContain(collector.Bodies, body => body.Contains("CANARY", StringComparison.Ordinal) || body.Contains("openwop.cost.evil", StringComparison.Ordinal));

        // The call that the node made belongs to the node's span, by way of the client's own.
        var header = Assert.Single(collector.Echoed);
        Assert.StartsWith($"00-{TraceId}-", header, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_run_is_nested_below_the_node_that_started_it()
    {
        await using var collector = await Collector.StartAsync();
        await using var installation = await StartAsync(collector, "http/json");
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync("traced-child", $"[{Client.Node("x", "core.noop")}]");
        await client.StoreAsync("traced-parent", $"[{Client.Node("call", "core.subWorkflow", """{"workflowId":"traced-child"}""")}]");
        var run = await client.CreateAsync("traced-parent", ("traceparent", Traceparent));

        var parent = await collector.SpansOfAsync(run, count: 2);
        var node = Assert.Single(parent, span => span.Name == "openwop.node.core.subWorkflow");
        await Eventually.TrueAsync(() => Children().Any());
        var child = Children().Single();
        Assert.Equal((TraceId, node.Id), (child.TraceId, child.ParentId));
        Assert.Equal("call", child["openwop.parent.node_id"]);

        IEnumerable<Span> Children() => collector.Spans.Where(span => span.Name == "openwop.run" && span["openwop.parent.run_id"] == run);
    }

    [Fact]
    public async Task The_binary_form_arrives_as_well()
    {
        await using var collector = await Collector.StartAsync();
        await using var installation = await StartAsync(collector, "http/protobuf");
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync("traced-binary", $"[{Client.Node("a", "core.noop")}]");
        var run = await client.CreateAsync("traced-binary");
        await Eventually.TrueAsync(() => collector.Bodies.Any(body => body.Contains(run, StringComparison.Ordinal) && body.Contains("openwop.run", StringComparison.Ordinal)));
    }

    [Fact]
    public void Activities_take_the_ids_that_they_are_given()
    {
        // What the engine sets is a private field of the framework; this is where a framework that has renamed it shows.
        Assert.NotNull(typeof(Activity).GetField("_spanId", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic));
    }

    private static Task<Installation> StartAsync(Collector collector, string protocol) => Installation.StartAsync(
        Form.Embedded,
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url.ToString().TrimEnd('/')),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"));

    /// <summary>A collector that keeps what it gets.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly ConcurrentQueue<Span> _spans = new();

        private Collector(WebApplication app) => _app = app;

        public Uri Url => new(_app.Urls.First());

        public ConcurrentQueue<string> Bodies { get; } = new();

        public ConcurrentQueue<string> Echoed { get; } = new();

        public IEnumerable<Span> Spans => _spans;

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var collector = new Collector(app);
            app.MapGet("/echo", context =>
            {
                collector.Echoed.Enqueue(context.Request.Headers["traceparent"].ToString());
                return context.Response.WriteAsJsonAsync(new { ok = true });
            });
            app.MapPost("/v1/{signal}", async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                collector.Bodies.Enqueue(Encoding.UTF8.GetString(body.ToArray()));
                if (context.Request.ContentType == "application/json" && context.Request.Path == "/v1/traces")
                    collector.Read(JsonElement.Parse(body.ToArray()));
            });
            await app.StartAsync();
            return collector;
        }

        public async Task<List<Span>> SpansOfAsync(string run, int count)
        {
            await Eventually.TrueAsync(() => Of(run).Count >= count);
            return Of(run);
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private List<Span> Of(string run) => [.. _spans.Where(span => span["openwop.run_id"] == run)];

        private void Read(JsonElement document)
        {
            foreach (var span in from resource in document.GetProperty("resourceSpans").EnumerateArray()
                                 from scope in resource.GetProperty("scopeSpans").EnumerateArray()
                                 from span in scope.GetProperty("spans").EnumerateArray()
                                 select span)
            {
                _spans.Enqueue(new Span(
                    span.GetProperty("name").GetString()!,
                    span.GetProperty("traceId").GetString()!,
                    span.GetProperty("spanId").GetString()!,
                    span.TryGetProperty("parentSpanId", out var parent) ? parent.GetString() : null,
                    span.GetProperty("attributes").EnumerateArray().ToDictionary(
                        attribute => attribute.GetProperty("key").GetString()!,
                        attribute => attribute.GetProperty("value").EnumerateObject().First().Value.ToString())));
            }
        }
    }

    private sealed record Span(string Name, string TraceId, string Id, string? ParentId, Dictionary<string, string> Attributes)
    {
        public string? this[string name] => Attributes.GetValueOrDefault(name);
    }
}
