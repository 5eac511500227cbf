using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>A gRPC client of another make that knows the address and a key, and finds the rest by reflection.</summary>
public sealed class GrpcJsClientTests
{
    [Theory]
    [InlineData(Form.Embedded)]
    [InlineData(Form.Separate)]
    public async Task The_engine_can_be_driven_by_reflection_alone(Form form)
    {
        await using var installation = await Installation.StartAsync(form);
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "workflow.json");
        await File.WriteAllTextAsync(file, Client.Workflow("by-reflection", $"[{Client.Node("a", "core.noop")}]"));

        var lines = await NodeTools.RunAsync("engine.mjs", installation.BaseUrl.Authority, Installation.Key, file);

        var seen = JsonElement.Parse(lines.Single());
        Assert.Contains(seen.GetProperty("services").EnumerateArray(), service => service.GetString() == "openwop.v1.Engine");
        Assert.DoesNotContain(seen.GetProperty("services").EnumerateArray(), service => service.GetString()!.StartsWith("openwop.runs", StringComparison.Ordinal));
        Assert.True(seen.GetProperty("created").GetBoolean());
        Assert.True(seen.GetProperty("same").GetBoolean());
        Assert.Equal("running", seen.GetProperty("status").GetString());
        Assert.Equal(
            ["run.started", "node.started", "node.completed", "run.completed"],
            seen.GetProperty("events").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal("completed", seen.GetProperty("snapshot").GetProperty("status").GetString());
        Assert.Equal(5, seen.GetProperty("missing").GetProperty("code").GetInt32());
        Assert.True(seen.GetProperty("missing").GetProperty("details").GetBoolean());
    }
}
