using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Mailbox;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>What an attempt says while it goes on.</summary>
public sealed partial class NodeContext
{
    /// <summary>Text that this attempt has streamed before the process that executed it died; null = none.</summary>
    internal StreamedText? Streamed { get; init; }

    /// <summary>Where to stream to; null for pure handlers.</summary>
    internal AttemptStream? Stream { get; set; }
}
