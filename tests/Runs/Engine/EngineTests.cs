using System.Text.Json;
using Xunit;
using Xunit.Abstractions;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class EngineTests(ITestOutputHelper output)
{
    private const string Chain = """
        {"id":"chain","name":"Chain","version":"1.0","nodes":[
          {"id":"a","typeId":"core.noop","name":"A","position":{"x":0,"y":0},"config":{},"inputs":{}},
          {"id":"w","typeId":"core.delay","name":"W","position":{"x":0,"y":0},"config":{"ms":100},"inputs":{}},
          {"id":"f","typeId":"core.fail","name":"F","position":{"x":0,"y":0},"config":{"failAttempts":1},"inputs":{},"settings":{"maxRetries":2,"retryDelayMs":50}},
          {"id":"b","typeId":"core.noop","name":"B","position":{"x":0,"y":0},"config":{},"inputs":{}}],
         "edges":[{"id":"e1","sourceNodeId":"a","targetNodeId":"w"},{"id":"e2","sourceNodeId":"w","targetNodeId":"f"},{"id":"e3","sourceNodeId":"f","targetNodeId":"b"}],
         "triggers":[],"variables":[],"metadata":{},"settings":{}}
        """;

    [Fact]
    public async Task A_run_with_a_delay_and_a_retry_completes()
    {
        await using var host = await EngineHost.StartAsync(new() { ["chain"] = Chain });
        var runId = await host.CreateAsync("""{"workflowId":"chain"}""");
        var log = await host.WaitForEndAsync(runId);
        foreach (var @event in log.Events)
        {
            output.WriteLine(@event.ToStringUtf8());
        }

        var types = log.Events.Select(@event => JsonElement.Parse(@event.Span).GetProperty("type").GetString()).ToList();
        Assert.Equal(
            [
                "run.started", "node.started", "node.completed", "node.started", "node.completed", "node.started", "node.retried",
                "node.started", "node.completed", "node.started", "node.completed", "run.completed",
            ],
            types);
    }
}
