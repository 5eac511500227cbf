using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Core.Channels;

public sealed class ChannelVersionTests
{
    [Fact]
    public void Writes_of_an_older_version_that_is_not_listed_break() => Assert.Equal("channel_schema_breaking_change", Check(written: 1, current: 2, compatible: [], "\"text\"")?.Code);

    [Fact]
    public void Writes_of_a_listed_version_pass_when_they_fit_the_schema() => Assert.Null(Check(written: 1, current: 2, compatible: [1], "\"text\""));

    [Fact]
    public void Writes_of_a_listed_version_break_when_they_do_not_fit() => Assert.Equal("channel_schema_breaking_change", Check(written: 1, current: 2, compatible: [1], "1")?.Code);

    [Fact]
    public void Writes_of_a_newer_version_pass() => Assert.Null(Check(written: 3, current: 2, compatible: [], "1"));

    [Fact]
    public void The_error_names_the_first_write_of_the_version()
    {
        var error = Check(written: 1, current: 2, compatible: [], "\"text\"");
        Assert.Equal("evt-run-1-7", error?.Details?.GetProperty("incompatibleEventId").GetString());
    }

    private static OpenWop.Micro.Runs.Nodes.NodeError? Check(int written, int current, int[] compatible, string value)
    {
        var body = new ChannelWritten("c", JsonElement.Parse(value), "replace", default, null) { SchemaVersion = written, IsDeclared = true };
        var state = Fold.Apply(RunState.Empty with { RunId = "run-1" }, new RunEvent(7, default, body));
        var definition = new WorkflowDefinition
        {
            Id = "w",
            Name = "w",
            Version = "1",
            Nodes = [],
            Edges = [],
            Channels = ImmutableSortedDictionary<string, ChannelDeclaration>.Empty.Add("c", new ChannelDeclaration
            {
                Reducer = "replace",
                Schema = JsonElement.Parse("""{"type":"string"}"""),
                SchemaVersion = current,
                CompatibleWith = [.. compatible],
            }),
        };
        return ChannelVersions.Check(state, definition);
    }
}
