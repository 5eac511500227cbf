using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Runs.Core;

/// <summary>A declared channel as the fold sees it.</summary>
/// <param name="Value">What the reducer has made of the writes; undefined while there is nothing.</param>
/// <param name="Sensitive">True when the value is masked outside.</param>
internal sealed record ChannelState(JsonElement Value, bool Sensitive)
{
    /// <summary>Schema versions of the writes so far, each with the sequence of its first write.</summary>
    public ImmutableSortedDictionary<int, long> Versions { get; init; } = ImmutableSortedDictionary<int, long>.Empty;

    /// <summary>The channels that a run starts with; null when its workflow declares none.</summary>
    public static ImmutableSortedDictionary<string, ChannelState>? Seed(ImmutableSortedDictionary<string, ChannelDeclaration>? declared) =>
        declared?.ToImmutableSortedDictionary(
            channel => channel.Key,
            channel => new ChannelState(channel.Value.Default ?? ChannelReducers.InitialValue(channel.Value.Reducer), channel.Value.Sensitive),
            StringComparer.Ordinal);
}

/// <summary>
/// A write into a channel: the input of the reducer, not its result (spec/interrupts-state-storage.md 6.3). It is folded by what
/// the event records, whatever the definition says today.
/// </summary>
/// <param name="Value">On a channel whose entries expire already wrapped as <c>{value, _ts}</c>.</param>
/// <param name="Node">The node that wrote; null for the engine.</param>
internal sealed record ChannelWritten(string Channel, JsonElement Value, string Reducer, DateTimeOffset WrittenAt, string? Node) : RunEventBody
{
    public override string? NodeId => Node;

    public int SchemaVersion { get; init; } = 1;

    /// <summary>How long entries live, in milliseconds; null = forever.</summary>
    public long? TtlMs { get; init; }

    /// <summary>Most entries or members; null = no bound.</summary>
    public int? MaxSize { get; init; }

    /// <summary>False for a channel of a workflow that declares none: it lives among the variables.</summary>
    public bool IsDeclared { get; init; }

    public bool Sensitive { get; init; }

    /// <summary>True when the same write is a <see cref="VariableChanged"/> as well, which is the one that is folded.</summary>
    public bool IsCopy { get; init; }

    /// <summary>The run that wrote, when it is not the owner.</summary>
    public string? SourceRunId { get; init; }
}
