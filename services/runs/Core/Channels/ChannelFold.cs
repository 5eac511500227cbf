namespace OpenWop.Micro.Runs.Core;

/// <summary>Folds writes: into a declared channel, or, where the workflow declares none, into the variable of its name.</summary>
internal static class ChannelFold
{
    public static RunState Apply(RunState state, ChannelWritten write, RunEvent @event)
    {
        if (write.IsCopy)
            return state;

        if (!write.IsDeclared)
        {
            var before = state.Variables.GetValueOrDefault(write.Channel);
            return state with { Variables = state.Variables.SetItem(write.Channel, ChannelReducers.Reduce(before, write, @event.Timestamp)) };
        }

        var channels = state.Channels ?? RunState.NoChannels;
        var channel = channels.GetValueOrDefault(write.Channel) ?? new ChannelState(default, write.Sensitive);
        return state with
        {
            Channels = channels.SetItem(write.Channel, channel with
            {
                Value = ChannelReducers.Reduce(channel.Value, write, @event.Timestamp),
                Sensitive = channel.Sensitive || write.Sensitive,
                Versions = channel.Versions.ContainsKey(write.SchemaVersion) ? channel.Versions : channel.Versions.Add(write.SchemaVersion, @event.Sequence),
            }),
        };
    }
}
