using System.Buffers.Text;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Workflows.Store;

/// <summary>A stored version.</summary>
/// <param name="Owner">Tenant, or <c>*</c> for a seeded definition.</param>
/// <param name="Document">UTF-8 JSON as it was stored; empty where only the facts about it were asked for.</param>
internal sealed record StoredDefinition(string WorkflowId, string Owner, long Version, string ETag, byte[] Document);

/// <summary>What a writer expects of the head (RFC 9110 13.1).</summary>
/// <param name="IfMatch">The current entity tag, <c>*</c> for any, null for no expectation.</param>
/// <param name="IfNoneMatch">True when there must be no head.</param>
internal sealed record Expectation(string? IfMatch, bool IfNoneMatch)
{
    public static readonly Expectation None = new(null, false);
}

/// <param name="Created">True for the first version.</param>
internal sealed record PutResult(long Version, string ETag, bool Created);

/// <summary>Definitions: immutable versions and one head per workflow and owner.</summary>
internal sealed partial class WorkflowStore(Database database, TimeProvider clock)
{
    /// <summary>Owner of seeded definitions.</summary>
    public const string SeedOwner = "*";

    /// <summary>How long a request is remembered; longer than any idempotency record lives.</summary>
    private static readonly TimeSpan RequestRetention = TimeSpan.FromDays(3);

    /// <summary>The head that a tenant sees: its own, else the seeded one.</summary>
    public Task<StoredDefinition?> FindHeadAsync(string tenant, string workflowId, CancellationToken cancellationToken) =>
        FindAsync(WorkflowQueries.VisibleHead, tenant, workflowId, null, cancellationToken);

    /// <summary>A version that a tenant sees: of its own definition when there is one, else of the seeded one.</summary>
    public Task<StoredDefinition?> FindVisibleVersionAsync(string tenant, string workflowId, long version, CancellationToken cancellationToken) =>
        FindAsync(WorkflowQueries.VisibleVersion, tenant, workflowId, version, cancellationToken);

    /// <summary>A version of exactly one owner.</summary>
    public Task<StoredDefinition?> FindVersionAsync(string owner, string workflowId, long version, CancellationToken cancellationToken) =>
        FindAsync(WorkflowQueries.Version, owner, workflowId, version, cancellationToken);

    /// <summary>One page of the heads visible to a tenant, ordered by id.</summary>
    /// <param name="after">Continue after this id; empty = from the beginning.</param>
    /// <param name="limit">Most definitions of the page.</param>
    /// <param name="maxBytes">Most bytes of documents in the page, though always one definition; null = without documents.</param>
    /// <returns>The page, and whether there is more.</returns>
    public async Task<(List<StoredDefinition> Page, bool HasMore)> ListAsync(
        string tenant, string after, int limit, int? maxBytes, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        List<StoredDefinition> page = [];
        var count = 0;
        long bytes = 0;
        await using (var rows = await session.QueryAsync(WorkflowQueries.ListVisible, tenant, after, limit + 1L))
        {
            while (await rows.ReadAsync(cancellationToken))
            {
                page.Add(new StoredDefinition(rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetString(3), []));
                bytes += rows.GetInt64(4);
                if (count < limit && (count == 0 || bytes <= (maxBytes ?? long.MaxValue)))
                    count++;
            }
        }

        var hasMore = page.Count > count;
        if (maxBytes is null || count == 0)
            return (page[..count], hasMore);

        page.Clear();
        await using var documents = await session.QueryAsync(WorkflowQueries.ListVisibleDocuments, tenant, after, (long)count);
        while (await documents.ReadAsync(cancellationToken))
        {
            page.Add(new StoredDefinition(
                documents.GetString(0), documents.GetString(1), documents.GetInt64(2), documents.GetString(3), documents.GetFieldValue<byte[]>(4)));
        }

        return (page, hasMore);
    }

    /// <summary>
    /// Stores a new version. The bytes of the head again change nothing; the same request again answers as before.
    /// </summary>
    /// <remarks>
    /// 1. Lock the head, so that writers of one workflow follow one another on every database. 2. A request that was answered before
    /// is answered again, whatever has happened since. 3. The expectation is held against the head. 4. Version, head and request are
    /// written together. Where anything is refused, nothing is left behind.
    /// </remarks>
    /// <exception cref="ProtocolException">
    /// <c>precondition_failed</c>, or <c>idempotency_key_mismatch</c> for a request that stored something else.
    /// </exception>
    public Task<PutResult> PutAsync(
        string owner,
        string workflowId,
        ReadOnlyMemory<byte> document,
        Expectation expectation,
        string? requestId,
        string? principal,
        CancellationToken cancellationToken,
        string? name = null) =>
        database.WriteAsync(
            async session =>
            {
                var (head, isDeleted) = await LockHeadAsync(session, owner, workflowId);
                if (requestId is not null && await FindRequestAsync(session, owner, workflowId, requestId) is { } before)
                    return before;

                var current = head == 0 || isDeleted ? null : await session.ScalarAsync<string>(WorkflowQueries.ETagOfVersion, owner, workflowId, head);
                Require(expectation, current);
                var now = clock.GetUtcNow();
                var isUnchanged = current is not null && current == ETagOf(head, document.Span);
                var version = isUnchanged ? head : head + 1;
                var result = new PutResult(version, ETagOf(version, document.Span), Created: current is null);
                if (!isUnchanged)
                {
                    await session.ExecuteAsync(
                        WorkflowQueries.InsertVersion, owner, workflowId, version, result.ETag, document, now.ToUnixTimeMilliseconds(), principal);
                    await session.ExecuteAsync(WorkflowQueries.MoveHead, owner, workflowId, version, name);
                }

                if (requestId is not null)
                {
                    await session.ExecuteAsync(
                        WorkflowQueries.InsertRequest, owner, requestId, workflowId, version, result.Created ? 1L : 0L, now.ToUnixTimeMilliseconds());
                    await session.ExecuteAsync(WorkflowQueries.ForgetRequests, (now - RequestRetention).ToUnixTimeMilliseconds());
                }

                return result;
            },
            cancellationToken);

    /// <summary>
    /// Strong entity tag of a version. The version is part of it: content that returns later is not what a writer has seen before.
    /// </summary>
    public static string ETagOf(long version, ReadOnlySpan<byte> document) => string.Create(
        CultureInfo.InvariantCulture, $"{version}-{Base64Url.EncodeToString(SHA256.HashData(document).AsSpan(0, 16))}");

    private static void Require(Expectation expectation, string? current)
    {
        var holds = expectation switch
        {
            { IfNoneMatch: true } => current is null,
            { IfMatch: null } => true,
            { IfMatch: "*" } => current is not null,
            _ => expectation.IfMatch == current,
        };
        if (holds)
            return;

        throw new ProtocolException(new ProtocolError(
            ErrorCodes.PreconditionFailed,
            current is null ? "The workflow does not exist."
                : expectation.IfNoneMatch ? "The workflow exists."
                : "The workflow has another version now.",
            current is null ? null : new() { ["currentEtag"] = current }));
    }

    private async Task<StoredDefinition?> FindAsync(string query, string owner, string workflowId, long? version, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = version is { } number
            ? await session.QueryAsync(query, owner, workflowId, number)
            : await session.QueryAsync(query, owner, workflowId);
        return await row.ReadAsync(cancellationToken) ? Read(workflowId, row) : null;
    }

    private static async Task<(long Version, bool IsDeleted)> LockHeadAsync(WriteSession session, string owner, string workflowId)
    {
        await using var row = await session.QueryAsync(WorkflowQueries.LockHead, owner, workflowId);
        await row.ReadAsync(session.CancellationToken);
        return (row.GetInt64(0), !row.IsDBNull(1));
    }

    private static async Task<PutResult?> FindRequestAsync(WriteSession session, string owner, string workflowId, string requestId)
    {
        await using var row = await session.QueryAsync(WorkflowQueries.FindRequest, owner, requestId);
        if (!await row.ReadAsync(session.CancellationToken))
            return null;

        return row.GetString(0) == workflowId
            ? new PutResult(row.GetInt64(1), row.GetString(3), row.GetInt64(2) == 1)
            : throw new ProtocolException(new ProtocolError(ErrorCodes.IdempotencyKeyMismatch, "The request has stored another workflow."));
    }

    private static StoredDefinition Read(string workflowId, DbDataReader row) =>
        new(workflowId, row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetFieldValue<byte[]>(3));
}
