using Grpc.Core;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class ChannelTests
{
    private const string Write = "core.channelWrite";

    [Fact]
    public async Task Expired_entries_are_gone_after_the_next_write()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-channel-ttl"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-channel-ttl"}""");
        var log = await host.LogAsync(runId);
        var entry = Assert.Single((await host.SnapshotAsync(runId)).GetProperty("variables").GetProperty("events").EnumerateArray());
        Assert.Equal("d", entry.GetProperty("value").GetString());
        Assert.True(entry.GetProperty("_ts").GetInt64() > 0);
        var last = log.Last(@event => Workflows.TypeOf(@event) == "channel.written");
        Assert.Equal(entry.GetRawText(), last.GetProperty("payload").GetProperty("value").GetRawText());
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("_ts").GetInt64()), last.GetProperty("timestamp").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_message_is_kept_once()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-message-reducer"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-message-reducer"}""");
        var log = await host.LogAsync(runId);
        Assert.Equal(2, log.Count(@event => Workflows.TypeOf(@event) == "channel.written"));
        Assert.Single((await host.SnapshotAsync(runId)).GetProperty("channels").GetProperty("messages").EnumerateArray());
    }

    [Theory]
    [InlineData("""{"reducer":"append","access":{"writers":["somebody"]}}""", "1", "channel_access_denied")]
    [InlineData("""{"reducer":"append","access":"private"}""", "1", "channel_access_denied")]
    [InlineData("""{"reducer":"append","access":{"writers":["core.*"]}}""", "1", null)]
    [InlineData("""{"reducer":"append","access":{"readers":[]}}""", "1", null)]
    [InlineData("""{"reducer":"counter"}""", "\"one\"", "validation_error")]
    [InlineData("""{"reducer":"merge","maxSize":1}""", """{"a":1,"b":2}""", "validation_error")]
    [InlineData("""{"reducer":"replace","schema":{"type":"string"}}""", "1", "validation_error")]
    [InlineData("""{"reducer":"append","schema":{"type":"integer"}}""", "1", null)]
    [InlineData("""{"reducer":"vendor.acme.newest"}""", "1", "validation_error")]
    public async Task A_write_that_the_declaration_does_not_allow_fails_its_node(string declaration, string value, string? error)
    {
        var workflow = Workflows.Chain("w", [("a", Write, $$"""{"channelName":"c","value":{{value}}}""")], more: $$"""
            "channels":{"c":{{declaration}}}
            """);
        await using var host = await EngineHost.StartAsync(new() { ["w"] = workflow });
        var runId = await host.CreateAsync("""{"workflowId":"w"}""");
        var log = await host.LogAsync(runId);
        var failed = log.SingleOrDefault(@event => Workflows.TypeOf(@event) == "node.failed");
        Assert.Equal(error, error is null ? null : failed.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(error is null ? 1 : 0, log.Count(@event => Workflows.TypeOf(@event) == "channel.written"));
    }

    [Fact]
    public async Task A_sensitive_channel_is_masked_outside_and_reduced_inside()
    {
        var workflow = Workflows.Chain("w", [("a", Write, """{"channelName":"c","value":41}"""), ("b", Write, """{"channelName":"c","value":1}""")], more: """
            "channels":{"c":{"reducer":"counter","sensitive":true,"maxSize":1}}
            """);
        await using var host = await EngineHost.StartAsync(new() { ["w"] = workflow });
        var runId = await host.CreateAsync("""{"workflowId":"w"}""");
        foreach (var @event in await host.LogAsync(runId))
            Assert.DoesNotContain("41", @event.GetProperty("payload").GetRawText(), StringComparison.Ordinal);

        Assert.Equal("[REDACTED]", (await host.SnapshotAsync(runId)).GetProperty("channels").GetProperty("c").GetString());
    }

    [Fact]
    public async Task The_name_of_a_channel_is_no_variable()
    {
        const string Channels = """
            "channels":{"c":{"reducer":"append","default":["first"]}}
            """;
        var workflow = Workflows.Chain("w", [("a", "core.setVariable", """{"name":"c","value":1}""")], more: Channels);
        await using var host = await EngineHost.StartAsync(new() { ["w"] = workflow });
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.CreateAsync("""{"workflowId":"w","inputs":{"c":1}}"""));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        var runId = await host.CreateAsync("""{"workflowId":"w"}""");
        var log = await host.LogAsync(runId);
        Assert.Equal("validation_error", log[^1].GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("""["first"]""", (await host.SnapshotAsync(runId)).GetProperty("channels").GetProperty("c").GetRawText());
    }

    [Fact]
    public async Task Variables_of_the_old_families_show_as_channel_writes_too()
    {
        var workflow = Workflows.Chain("w", [("a", "core.setVariable", """{"name":"_feedbackHistory:a","value":[{"feedback":"x"}]}""")]);
        await using var host = await EngineHost.StartAsync(new() { ["w"] = workflow });
        var log = await host.LogAsync(await host.CreateAsync("""{"workflowId":"w"}"""));
        var types = log.Select(Workflows.TypeOf).ToList();
        Assert.Equal(types.IndexOf("variable.changed") + 1, types.IndexOf("channel.written"));
    }
}
