using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Channels (spec/interrupts-state-storage.md 6).</summary>
public sealed partial class NodeContext
{
    private readonly List<ChannelWrite> channelWrites = [];

    /// <summary>Channels that the workflow declares; null when it declares none.</summary>
    public ImmutableSortedDictionary<string, ChannelDeclaration>? ChannelDeclarations { get; init; }

    public IReadOnlyList<ChannelWrite> ChannelWrites => channelWrites;

    internal ImmutableSortedDictionary<string, ChannelState>? Channels { get; init; }

    /// <summary>
    /// Writes into a channel when the attempt completes; discarded when it fails. A write that the channel refuses (not declared,
    /// no writer, wrong shape, too large) fails the node.
    /// </summary>
    public void WriteChannel(ChannelWrite write) => channelWrites.Add(write);

    /// <summary>
    /// The folded value of a channel as it was when the attempt started, unmasked; null when it has none. Entries that expire are
    /// wrapped as <c>{value, _ts}</c>.
    /// </summary>
    /// <param name="error">Set when the node is not among the channel's readers: what it should fail with.</param>
    public JsonElement? ReadChannel(string channel, out NodeError? error)
    {
        ArgumentNullException.ThrowIfNull(channel);
        error = ChannelDeclarations?.GetValueOrDefault(channel) is { } declared
            ? ChannelAccess.Check(channel, declared, Node, ChannelAccess.Readers)
            : null;
        if (error is not null)
            return null;

        var value = ChannelDeclarations is null ? Variables.GetValueOrDefault(channel) : Channels?.GetValueOrDefault(channel)?.Value ?? default;
        return value.IsDefined() ? value : null;
    }
}

/// <summary>A write into a channel. Options are for workflows that declare no channels; elsewhere the declaration decides.</summary>
public sealed record ChannelWrite(string Channel, JsonElement Value)
{
    /// <summary>Null = the declared one, or <c>replace</c>.</summary>
    public string? Reducer { get; init; }

    /// <summary>How long entries live, in milliseconds; null = forever.</summary>
    public long? TtlMs { get; init; }

    /// <summary>Most entries; null = no bound.</summary>
    public int? MaxSize { get; init; }
}
