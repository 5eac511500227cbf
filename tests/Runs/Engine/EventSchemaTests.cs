using System.Text.Json;
using OpenWop.Micro.Protocol.Schemas;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class EventSchemaTests
{
    /// <summary>Fixtures that end by themselves, or wait for somebody.</summary>
    public static TheoryData<string> Cases => new(
    [
        "conformance-noop", "conformance-failure", "conformance-approval", "conformance-clarification", "conformance-interrupt-external-event",
        "conformance-channel-ttl", "conformance-subworkflow-parent", "conformance-interrupt-parent-child-cancel", "conformance-dispatch-loop",
        "conformance-dispatch-cross-worker-handoff", "conformance-orchestrator-terminate", "conformance-orchestrator-low-confidence",
        "conformance-agent-identity", "conformance-agent-reasoning", "conformance-agent-reasoning-streaming", "conformance-agent-low-confidence",
        "conformance-conversation-lifecycle", "conformance-conversation-replay", "conformance-capability-missing",
    ]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Events_and_snapshots_fit_the_published_schemas(string workflowId)
    {
        var children = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows"), "*child*.json").Select(file => Path.GetFileNameWithoutExtension(file));
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures([.. children.Append("conformance-noop").Append(workflowId).Distinct()]));
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        var snapshot = await host.SnapshotAsync(runId, snapshot => snapshot.GetProperty("status").GetString() is not ("running" or "pending"));
        Check(SchemaRegistry.Published("run-snapshot"), snapshot);
        foreach (var @event in await host.EventsAsync(runId))
        {
            Check(SchemaRegistry.Published("run-event"), @event);

            // The published pattern of reducers lacks 'message', which the same publication defines.
            if (@event.GetProperty("payload").TryGetProperty("reducer", out var reducer) && reducer.ValueEquals("message"))
                continue;

            Check(SchemaRegistry.PublishedPart("run-event-payloads", PartOf(Workflows.TypeOf(@event))), @event.GetProperty("payload"));
        }
    }

    private static void Check(JsonSchemaDocument schema, JsonElement document)
    {
        var errors = schema.Validate(document);
        Assert.True(errors.Count == 0, $"{string.Join('\n', errors.Select(error => $"{error.Path}: {error.Message}"))}\n{document}");
    }

    /// <summary><c>run.started</c> is described by <c>runStarted</c>.</summary>
    private static string PartOf(string type) =>
        string.Concat(type.Split('.', '-').Select((part, index) => index == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));
}
