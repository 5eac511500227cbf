using OpenWop.Micro.Runs.Mailbox;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class BoundTests
{
    [Fact]
    public async Task Outputs_of_several_ends_are_bounded_together()
    {
        await using var host = await EngineHost.StartAsync([]);
        var nodes = string.Join(',', Enumerable.Range(0, 10).Select(index => $$"""{"id":"n{{index}}","typeId":"core.transform","config":{"expression":"inputs.x"} }"""));
        var log = await host.LogAsync(await host.StoreAndCreateAsync("wide", nodes, "", "{}", $$"""{"x":"{{new string('x', 500_000)}}"}"""));
        Assert.Equal("run.failed", Workflows.TypeOf(log[^1]));
        Assert.Equal("value_too_large", log[^1].GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public void A_run_that_cannot_be_stored_is_tried_less_and_less_often() => Assert.Equal(
        [1, 2, 4, 8, 16, 32, 60, 60],
        Enumerable.Range(1, 8).Select(setback => (int)RunRegistry.DelayAfter(setback).TotalSeconds));
}
