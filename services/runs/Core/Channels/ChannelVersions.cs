using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Whether what is in the channels of a run may be used under the definition that drives it (spec/interrupts-state-storage.md
/// 6.3). A run that goes on under the version it started with always passes; one that takes over the log of another version may
/// not. Writes of newer versions pass: that is a definition that was rolled back.
/// </summary>
internal static class ChannelVersions
{
    /// <summary>The first breaking change, or null.</summary>
    public static NodeError? Check(RunState state, WorkflowDefinition definition)
    {
        if (state.Channels is not { } channels || definition.Channels is not { } declarations)
            return null;

        foreach (var (name, channel) in channels)
        {
            if (declarations.GetValueOrDefault(name) is not { } declared)
                continue;

            foreach (var (version, sequence) in channel.Versions)
            {
                if (version < declared.SchemaVersion && !(declared.CompatibleWith.Contains(version) && Fits(declared, channel.Value)))
                    return Breaking(state.RunId, name, declared.SchemaVersion, version, sequence);
            }
        }

        return null;
    }

    /// <summary>Fits as a whole, or entry by entry; see <see cref="ChannelDecisions"/> on what a schema describes.</summary>
    private static bool Fits(ChannelDeclaration declared, JsonElement value) =>
        declared.Schema is not { } schema
        || !value.IsDefined()
        || ChannelDecisions.Fits(schema, value)
        || (ChannelReducers.IsList(declared.Reducer)
            && value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(entry => ChannelDecisions.Fits(schema, ChannelReducers.Unwrap(entry, declared.TtlMs > 0))));

    private static NodeError Breaking(string runId, string channel, int current, int version, long sequence) => new(
        "channel_schema_breaking_change",
        $"Channel '{channel}' holds writes of schema version {version}, which version {current} cannot read.",
        Retryable: false,
        JsonValues.Object(writer =>
        {
            writer.WriteString("channel", channel);
            writer.WriteNumber("currentSchemaVersion", current);
            writer.WriteNumber("incompatibleEventVersion", version);
            writer.WriteString("incompatibleEventId", Log.EventCodec.EventId(runId, sequence));
            writer.WriteString("migrationHint", "Declare a new channel and copy what is needed with a node.");
        }));
}
