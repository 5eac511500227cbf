using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors;

/// <summary>
/// A block type in C#: what the catalogue shows and editing enforces, and what a block does (docs/connectors.md). One object serves all
/// blocks of the type, at the same time: it keeps no state between calls.
/// </summary>
public interface IConnector
{
    /// <summary>What the type is called, takes and gives.</summary>
    static abstract Connector Description { get; }

    /// <summary>
    /// Does what one attempt of a block does. A process may die in the middle, and the attempt starts over from its beginning: effects go
    /// through <see cref="ConnectorCall.RunOnceAsync"/>.
    /// </summary>
    /// <returns>The output of the block, an object.</returns>
    /// <exception cref="ConnectorException">The block fails, for good or for now.</exception>
    Task<JsonElement> RunAsync(ConnectorCall call, CancellationToken cancellationToken);
}
