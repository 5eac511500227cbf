using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// What one run tells another. Written in the transaction of the sender's append, delivered until the receiver has decided, and
/// removed in the transaction of the receiver's append (docs/decisions/0030-signals-between-runs.md).
/// </summary>
/// <param name="Target">The run it is for.</param>
/// <param name="Source">The run that sends it.</param>
/// <param name="SourceSequence">Where the sender's log stood: with the sender the identity of the signal.</param>
internal abstract record RunSignal(string Target, string Source, long SourceSequence)
{
    public (string Source, long Sequence) Key => (Source, SourceSequence);

    /// <summary>To a child: end, because your parent has.</summary>
    public sealed record Cancel(string Target, string Source, long SourceSequence, string Reason) : RunSignal(Target, Source, SourceSequence);

    /// <summary>To the parent: this child exists, has another status, or is over.</summary>
    /// <param name="Node">The parent's node that started it.</param>
    /// <param name="Iteration">Which execution of the node.</param>
    /// <param name="Status">Wire name of the status.</param>
    /// <param name="Result">What it came to, once it is over.</param>
    public sealed record ChildReport(string Target, string Source, long SourceSequence, string Node, int Iteration, string Status, ChildResult? Result)
        : RunSignal(Target, Source, SourceSequence)
    {
        /// <summary>True for the report of the child's creation.</summary>
        public bool IsFirst { get; init; }
    }
}
