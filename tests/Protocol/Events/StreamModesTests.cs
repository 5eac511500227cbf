using System.Reflection;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Events;

namespace OpenWop.Micro.Protocol.Tests.Events;

public sealed class StreamModesTests
{
    [Theory]
    [InlineData("run.started", true, true, false)]
    [InlineData("run.completed", true, true, false)]
    [InlineData("run.failed", true, true, false)]
    [InlineData("run.cancelled", true, true, false)]
    [InlineData("run.paused", true, true, false)]
    [InlineData("run.resumed", true, true, false)]
    [InlineData("node.started", false, true, false)]
    [InlineData("node.completed", true, true, false)]
    [InlineData("node.failed", true, true, false)]
    [InlineData("node.skipped", true, true, false)]
    [InlineData("node.suspended", true, true, false)]
    [InlineData("node.dispatched", true, true, false)]
    [InlineData("approval.requested", true, true, false)]
    [InlineData("approval.received", true, true, false)]
    [InlineData("clarification.requested", true, true, false)]
    [InlineData("clarification.resolved", true, true, false)]
    [InlineData("interrupt.requested", true, true, false)]
    [InlineData("interrupt.resolved", true, true, false)]
    [InlineData("artifact.created", true, true, false)]
    [InlineData("output.chunk", false, false, true)]
    [InlineData("node.retried", false, false, false)]
    [InlineData("node.resumed", false, false, false)]
    [InlineData("node.cancelled", false, false, false)]
    [InlineData("run.resuming", false, false, false)]
    [InlineData("variable.changed", false, false, false)]
    [InlineData("channel.written", false, false, false)]
    [InlineData("cap.breached", false, false, false)]
    [InlineData("replay.diverged", false, false, false)]
    [InlineData("log.appended", false, false, false)]
    [InlineData("version.pinned", false, false, false)]
    [InlineData("acme.custom", false, false, false)]
    public void Each_mode_shows_its_events_and_debug_shows_all(string type, bool updates, bool values, bool messages)
    {
        Assert.Equal(updates, StreamMode.Updates.Shows(type));
        Assert.Equal(values, StreamMode.Values.Shows(type));
        Assert.Equal(messages, StreamMode.Messages.Shows(type));
        Assert.True(StreamMode.Debug.Shows(type));
    }

    [Fact]
    public void Every_known_event_is_a_durable_one_and_therefore_in_debug() =>
        Assert.All(
            typeof(EventTypes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!),
            type => Assert.True(StreamMode.Debug.Shows(type)));

    [Theory]
    [InlineData(null, StreamMode.Updates)]
    [InlineData("updates", StreamMode.Updates)]
    [InlineData("values", StreamMode.Values)]
    [InlineData("messages", StreamMode.Messages)]
    [InlineData("debug", StreamMode.Debug)]
    [InlineData("updates,messages", StreamMode.Updates | StreamMode.Messages)]
    [InlineData("messages,updates,messages", StreamMode.Updates | StreamMode.Messages)]
    [InlineData("values,values", StreamMode.Values)]
    public void Legal_lists_are_parsed(string? list, StreamMode expected)
    {
        Assert.True(StreamModes.TryParse(list, out var modes, out _));
        Assert.Equal(expected, modes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Updates")]
    [InlineData(" updates")]
    [InlineData("updates,")]
    [InlineData(",updates")]
    [InlineData("updates,unknown")]
    [InlineData("values,updates")]
    [InlineData("debug,values")]
    [InlineData("none")]
    public void One_wrong_name_fails_the_list_and_the_answer_names_the_single_modes(string list)
    {
        Assert.False(StreamModes.TryParse(list, out _, out var error));
        Assert.Equal(ErrorCodes.UnsupportedStreamMode, error.Code);
        Assert.Equal(["values", "updates", "messages", "debug"], error.Details!["supported"]!.AsArray().Select(name => (string?)name));
    }
}
