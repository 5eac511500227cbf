using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Memory;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>
/// Memory as one attempt sees it (spec/agents.md 8): what the tenant's runs had written when this run started, and what this run has
/// written itself. Others' entries that come later do not show, so that what a run reads does not depend on the moment. Changes are
/// wishes: they become durable together with the event that tells of them, or not at all.
/// </summary>
internal sealed class NodeMemory(NodeContext context, MemoryStore store)
{
    private readonly MemoryOwner owner = new(context.Tenant, context.IsTest);
    private readonly List<MemoryChange> changes = [];
    private int puts;

    public IReadOnlyList<MemoryChange> Changes => changes;

    /// <summary>The time by which entries expire.</summary>
    public DateTimeOffset Now => store.Now;

    /// <summary>Entries of a memory, newest first; none for a memory that does not exist, or whose name makes no sense.</summary>
    /// <param name="limit">1 to <see cref="MemoryRules.MaxListed"/>; 0 = as many as there may be.</param>
    public async Task<IReadOnlyList<MemoryEntry>> ListAsync(string? memoryRef, int limit, string? tag, CancellationToken cancellationToken)
    {
        if (!MemoryRules.IsRef(memoryRef))
            return [];

        var most = limit is > 0 and < MemoryRules.MaxListed ? limit : MemoryRules.MaxListed;
        var gone = changes.OfType<MemoryChange.Delete>().Where(change => change.MemoryRef == memoryRef).Select(change => change.MemoryId).ToHashSet(StringComparer.Ordinal);
        var now = store.Now;
        var own = changes.OfType<MemoryChange.Put>().Where(change => change.MemoryRef == memoryRef).Select(change => change.Entry).Reverse().ToList();
        var stored = await store.ListAsync(
            owner,
            memoryRef!,
            (id, createdAt, tags) => IsVisible(id, createdAt) && !gone.Contains(id) && !own.Exists(entry => entry.Id == id) && (tag is null || tags.Contains(tag)),
            most,
            cancellationToken);
        return [.. own.Where(entry => !gone.Contains(entry.Id) && !entry.IsExpired(now) && (tag is null || entry.Tags.Contains(tag))).Concat(stored).Take(most)];
    }

    /// <summary>An entry; null when there is none, or none that this run may see.</summary>
    public async Task<MemoryEntry?> GetAsync(string? memoryRef, string memoryId, CancellationToken cancellationToken)
    {
        if (!MemoryRules.IsRef(memoryRef) || changes.Exists(change => change is MemoryChange.Delete && change.MemoryRef == memoryRef && change.MemoryId == memoryId))
            return null;

        var written = changes.OfType<MemoryChange.Put>().FirstOrDefault(change => change.MemoryRef == memoryRef && change.MemoryId == memoryId)?.Entry;
        var entry = written ?? await store.FindAsync(owner, memoryRef!, memoryId, cancellationToken);
        return entry is not null && !entry.IsExpired(store.Now) && (written is not null || IsVisible(entry.Id, entry.CreatedAt)) ? entry : null;
    }

    /// <summary>Writes an entry; returns its id, or why it is refused.</summary>
    /// <param name="tags">Empty ones are left out.</param>
    /// <param name="expiresAt">Null = never.</param>
    public (string? MemoryId, NodeError? Refusal) Put(string? memoryRef, string content, IEnumerable<string> tags, DateTimeOffset? expiresAt)
    {
        string[] kept = [.. tags.Where(tag => tag.Length > 0).Distinct(StringComparer.Ordinal)];
        if (MemoryRules.Refusal(memoryRef, content, kept, expiresAt, Now) is { } refusal)
            return (null, refusal);

        var entry = new MemoryEntry(NewId(), content, kept, Now, expiresAt);
        changes.Add(new MemoryChange.Put(memoryRef!, entry, AgentRefs.Of(context.Node.Agent)?.StringMember("agentId")));
        return (entry.Id, null);
    }

    /// <summary>Forgets an entry, if it exists.</summary>
    public void Delete(string memoryRef, string memoryId)
    {
        if (MemoryRules.IsRef(memoryRef))
            changes.Add(new MemoryChange.Delete(memoryRef, memoryId));
    }

    private bool IsVisible(string id, DateTimeOffset createdAt) => createdAt <= context.RunStartedAt || context.Remembered.Contains(id);

    /// <summary>The same when the attempt is made again: a repeated write is the same write. Not to be guessed from outside the run's log.</summary>
    private string NewId()
    {
        var identity = string.Create(CultureInfo.InvariantCulture, $"{context.RunId}\0{context.Node.Id}\0{context.Iteration}\0{puts++}");
        return $"mem-{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, 18))}";
    }
}
