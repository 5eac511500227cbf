using System.Buffers;
using System.Text;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>What memory takes in, and how much of it (spec/agents.md 8).</summary>
internal static class MemoryRules
{
    /// <summary>Largest content in bytes of UTF-8.</summary>
    public const int MaxEntryBytes = 64 * 1024;

    /// <summary>Tags of an entry.</summary>
    public const int MaxTags = 32;

    /// <summary>Longest tag, in characters.</summary>
    public const int MaxTagLength = 256;

    /// <summary>Longest name of a memory, in characters.</summary>
    public const int MaxRefLength = 256;

    /// <summary>Entries of a memory; the oldest make room for new ones.</summary>
    public const int MaxEntries = 1000;

    /// <summary>Most entries that one look at a memory returns, and how many it returns when nothing is said.</summary>
    public const int MaxListed = 100;

    /// <summary>What an attempt can change.</summary>
    public const int MaxChangesPerAttempt = 32;

    /// <summary>What a run can write.</summary>
    public const int MaxWritesPerRun = 1000;

    private static readonly SearchValues<char> RefCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@/");

    /// <summary>
    /// A name is a path within the tenant: nothing in it leads out, because nothing in it means "up", and the tenant is never part of it.
    /// </summary>
    public static bool IsRef(string? text) =>
        text is { Length: > 0 and <= MaxRefLength }
        && !text.AsSpan().ContainsAnyExcept(RefCharacters)
        && Array.TrueForAll(text.Split('/'), part => part is not ("" or "." or ".."));

    /// <summary>Why an entry cannot be written, or null. Says nothing of what the entry holds.</summary>
    public static NodeError? Refusal(string? memoryRef, string content, IReadOnlyList<string> tags, DateTimeOffset? expiresAt, DateTimeOffset now) =>
        !IsRef(memoryRef) ? Invalid("The name of the memory is not valid.")
        : Encoding.UTF8.GetByteCount(content) > MaxEntryBytes ? Invalid($"An entry of a memory has at most {MaxEntryBytes} bytes.")
        : tags.Count > MaxTags || tags.Any(tag => tag.Length > MaxTagLength) ? Invalid($"An entry of a memory has at most {MaxTags} tags of at most {MaxTagLength} characters.")
        : (content.Contains('\0', StringComparison.Ordinal) || tags.Any(tag => tag.Contains('\0', StringComparison.Ordinal))) ? Invalid("An entry of a memory cannot hold a NUL.")
        : expiresAt <= now ? Invalid("The entry would have expired before it is written.")
        : null;

    private static NodeError Invalid(string message) => new("validation_error", message);
}
