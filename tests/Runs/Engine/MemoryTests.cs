using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class MemoryTests
{
    private static readonly string[] Fixtures = ["conformance-agent-memory-roundtrip", "conformance-agent-memory-ttl", "conformance-agent-memory-cross-tenant"];

    private static readonly Dictionary<string, string> Definitions = new(Workflows.Fixtures(Fixtures))
    {
        ["writes"] = Workflows.Chain("writes",
        [
            ("write", "core.memory.write", """{"memoryRef":"team/notes","content":"first","tags":["a","",  "a","b"]}"""),
            ("look", "core.memory.read", """{"memoryRef":"team/notes","tag":"b"}"""),
            ("gate", "core.approvalGate", "{}"),
            ("again", "core.memory.read", """{"memoryRef":"team/notes"}"""),
        ]),
        ["reads"] = Workflows.Chain("reads", [("look", "core.memory.read", """{"memoryRef":"team/notes","limit":2}""")]),
        ["outside"] = Workflows.Chain("outside", [("look", "core.memory.read", """{"memoryRef":"team/../notes"}""")]),
        ["echo"] = Workflows.Chain("echo", [("echo", "core.identity", """{"memoryAction":"write-then-read"}""")]),
        ["brief"] = Workflows.Chain("brief", [("write", "core.memory.write", """{"memoryRef":"team/brief","content":"x","ttlMs":1}""")]),
        ["late"] = Workflows.Chain("late", [("write", "core.memory.write", """{"memoryRef":"team/late","content":"x","expiresAt":"2020-01-01T00:00:00Z"}""")]),
        ["large"] = Workflows.Chain("large", [("write", "core.memory.write", $$"""{"memoryRef":"team/large","content":"{{new string('x', 64 * 1024)}}y"}""")]),
        ["fails"] = Workflows.Chain("fails", [("write", "core.memory.write", """{"memoryRef":"team/fails","content":"x"}"""), ("fail", "core.fail", "{}")]),
    };

    [Theory]
    [InlineData("conformance-agent-memory-roundtrip", "memoryReadback")]
    [InlineData("conformance-agent-memory-ttl", "memoryList")]
    [InlineData("conformance-agent-memory-cross-tenant", "crossTenantProbe")]
    public async Task The_published_workflows_show_what_they_remember(string workflowId, string variable)
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        var value = (await host.SnapshotAsync(runId, "completed")).GetProperty("variables").GetProperty(variable);
        JsonElement[] entries = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        Assert.All(entries, entry => Assert.Empty(SchemaRegistry.Published("memory-entry").Validate(entry)));
        Assert.Equal(variable == "crossTenantProbe" ? 0 : 1, entries.Length);
    }

    [Fact]
    public async Task A_run_sees_what_was_there_when_it_started_and_what_it_writes_itself()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var first = await host.CreateAsync("""{"workflowId":"writes"}""");
        await host.SnapshotAsync(first, "waiting-approval");
        var second = await host.CreateAsync("""{"workflowId":"writes"}""");
        await host.SnapshotAsync(second, "waiting-approval");
        await host.AnswerAsync(first, "gate", """{"action":"accept"}""");
        await host.AnswerAsync(second, "gate", """{"action":"accept"}""");

        Assert.Single(Entries(await host.LogAsync(first), "again"));
        var seen = Entries(await host.LogAsync(second), "again");
        Assert.Equal(2, seen.Count);
        Assert.True(seen[0].GetProperty("createdAt").GetDateTimeOffset() >= seen[1].GetProperty("createdAt").GetDateTimeOffset());
        Assert.Equal(["a", "b"], seen[0].GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!));
    }

    [Fact]
    public async Task Memory_outlives_the_process_is_announced_without_content_and_is_not_written_by_replays()
    {
        var host = await EngineHost.StartAsync(Definitions);
        var runId = await host.CreateAsync("""{"workflowId":"writes"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        await using var next = await EngineHost.StartAsync([], await host.StopAsync());
        await next.AnswerAsync(runId, "gate", """{"action":"accept"}""");
        var log = await next.LogAsync(runId);
        Assert.Single(Entries(log, "again"));
        var written = Assert.Single(log, @event => Workflows.TypeOf(@event) == "memory.written").GetProperty("payload");
        Assert.Empty(SchemaRegistry.PublishedPart("run-event-payloads", "memoryWritten").Validate(written));
        Assert.DoesNotContain("first", written.GetRawText(), StringComparison.Ordinal);

        foreach (var (mode, from) in new[] { ("replay", 0), ("replay", log.Count - 3), ("branch", log.Count - 1) })
        {
            var fork = await next.Client.ForkRunAsync(new Contracts.Runs.V1.ForkRunRequest
            {
                RunId = runId,
                Body = Google.Protobuf.ByteString.CopyFromUtf8($$"""{"mode":"{{mode}}","fromSeq":{{from}}}"""),
            }, next.Headers);
            var repeated = await next.LogAsync(fork.RunId);
            Assert.DoesNotContain(repeated, @event => Workflows.TypeOf(@event) == "replay.diverged");
            Assert.Single(Entries(repeated, "again"));
        }

        Assert.Single(Entries(await next.LogAsync(await next.CreateAsync("""{"workflowId":"reads"}""")), "look"));
    }

    [Fact]
    public async Task Entries_that_have_expired_never_show_and_are_removed()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        await host.LogAsync(await host.CreateAsync("""{"workflowId":"brief"}"""));
        var memory = host.Services.GetRequiredService<MemoryStore>();
        await Eventually.TrueAsync(async () => await memory.PurgeAsync(10, CancellationToken.None) == 1, "removal of the entry");
        Assert.Equal("validation_error", await ErrorOfAsync(host, "late"));
    }

    [Fact]
    public async Task What_is_too_large_is_refused_and_what_leads_out_is_no_name()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        Assert.Equal("validation_error", await ErrorOfAsync(host, "large"));
        Assert.Equal("config_invalid", await ErrorOfAsync(host, "outside"));
    }

    [Fact]
    public async Task Elsewhere_a_node_is_the_echo_that_it_is_named_after()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var log = await host.LogAsync(await host.CreateAsync("""{"workflowId":"echo"}"""));
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "memory.written");
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
    }

    [Fact]
    public async Task What_an_instance_remembers_is_kept_apart_by_tenant()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        await host.LogAsync(await host.CreateAsync("""{"workflowId":"fails"}"""));
        var memory = host.Services.GetRequiredService<MemoryStore>();
        foreach (var tenant in (string[])["somebody-else", "", "%"])
            Assert.Empty(await memory.ListAsync(new MemoryOwner(tenant, IsTest: true), "team/fails", (_, _, _) => true, 10, CancellationToken.None));
    }

    private static async Task<string?> ErrorOfAsync(EngineHost host, string workflowId)
    {
        var log = await host.LogAsync(await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}"""));
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "memory.written");
        return log[^1].GetProperty("payload").GetProperty("error").GetProperty("code").GetString();
    }

    private static List<JsonElement> Entries(List<JsonElement> log, string nodeId)
    {
        var completed = log.Single(@event => Workflows.TypeOf(@event) == "node.completed" && @event.GetProperty("nodeId").ValueEquals(nodeId));
        return [.. completed.GetProperty("payload").GetProperty("outputs").GetProperty("entries").EnumerateArray()];
    }
}
