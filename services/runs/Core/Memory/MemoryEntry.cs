using System.Text.Json;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Something that agents of a tenant remember beyond a run (memory-entry.schema.json). Never changes.</summary>
internal sealed record MemoryEntry(string Id, string Content, IReadOnlyList<string> Tags, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    public bool IsExpired(DateTimeOffset now) => ExpiresAt <= now;

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id", Id);
        writer.WriteString("content", Content);
        writer.WriteStartArray("tags");
        foreach (var tag in Tags)
            writer.WriteStringValue(tag);

        writer.WriteEndArray();
        writer.WriteString("createdAt", Timestamps.Format(CreatedAt));
        if (ExpiresAt is { } expiry)
            writer.WriteString("expiresAt", Timestamps.Format(expiry));

        writer.WriteEndObject();
    }
}

/// <summary>What an attempt wants to be remembered or forgotten; happens when the attempt completes or waits.</summary>
internal abstract record MemoryChange(string MemoryRef, string MemoryId)
{
    public sealed record Put(string MemoryRef, MemoryEntry Entry, string? AgentId) : MemoryChange(MemoryRef, Entry.Id);

    public sealed record Delete(string MemoryRef, string MemoryId) : MemoryChange(MemoryRef, MemoryId);
}

/// <summary>A decided change on its way into the append that tells of it.</summary>
/// <param name="Sequence">Of the event; for a removal, of the last event before it.</param>
internal sealed record DecidedMemoryChange(MemoryChange Change, long Sequence);
