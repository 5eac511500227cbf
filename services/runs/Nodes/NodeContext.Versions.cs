using System.Collections.Immutable;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Changes of node code that runs in flight must not notice, and what calls have cost.</summary>
public sealed partial class NodeContext
{
    private const int MaxChangeIdLength = 256;

    private Cost? cost;

    /// <summary>The run's options, for the trace that it belongs to.</summary>
    internal RunOptions? Trace { get; init; }

    internal ImmutableSortedDictionary<string, int> Pins { get; set; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>What the attempt has cost; null = nothing was reported.</summary>
    internal Cost? Cost => cost;

    /// <summary>
    /// The version of a change that this run has to follow (spec/http-core.md 7): the newest for a run that asks for the first time, which
    /// is recorded as <c>version.pinned</c>; what was recorded ever after, in every attempt, after every restart and in every replay.
    /// </summary>
    /// <param name="changeId">Name of the change, 1 to 256 characters.</param>
    /// <param name="min">The oldest version that the code still knows; may be -1.</param>
    /// <param name="max">The newest one.</param>
    /// <exception cref="ArgumentException">The arguments make no sense.</exception>
    /// <exception cref="VersionOutOfRangeException">The run follows a version that the code does not know any more.</exception>
    public int GetVersion(string changeId, int min, int max)
    {
        if (changeId is not { Length: > 0 and <= MaxChangeIdLength } || max < min || max < 0)
            throw new ArgumentException($"A change has a name of 1 to {MaxChangeIdLength} characters and versions from min to max.", nameof(changeId));

        if (Pins.TryGetValue(changeId, out var pinned))
            return pinned >= min && pinned <= max ? pinned : throw new VersionOutOfRangeException(changeId, pinned, min, max);

        Pins = Pins.SetItem(changeId, max);
        Emit(new NodeEvent(EventTypes.VersionPinned, JsonValues.Object(writer =>
        {
            writer.WriteString("changeId", changeId);
            writer.WriteNumber("version", max);
            writer.WriteString("nodeId", Node.Id);
        })));
        return max;
    }

    /// <summary>Adds to what the run has cost when the attempt ends, however it ends.</summary>
    internal void AddCost(Cost more) => cost = cost is null ? more : cost + more;
}

/// <summary>A run follows a version of a change that the node's code does not know.</summary>
#pragma warning disable CA1032 // Exists only to carry what was found.
public sealed class VersionOutOfRangeException(string changeId, int pinned, int min, int max)
#pragma warning restore CA1032
    : Exception($"The run follows version {pinned} of '{changeId}', and this node knows {min} to {max}.")
{
    public const string Code = "version_out_of_range";

    /// <summary>The error of the node.</summary>
    public NodeError ToError(string runId) => new(Code, Message, Retryable: false, JsonValues.Object(writer =>
    {
        writer.WriteString("runId", runId);
        writer.WriteString("changeId", changeId);
        writer.WriteNumber("pinnedVersion", pinned);
        writer.WriteNumber("currentMin", min);
        writer.WriteNumber("currentMax", max);
    }));
}
