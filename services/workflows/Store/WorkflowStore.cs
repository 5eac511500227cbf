using System.Data.Common;
using System.Security.Cryptography;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Workflows.Store;

/// <summary>A stored version.</summary>
/// <param name="Owner">Tenant, or <c>*</c> for a seeded definition.</param>
internal sealed record StoredDefinition(string WorkflowId, string Owner, long Version, string ETag, byte[] Document);

/// <summary>What a writer expects of the head (RFC 9110 13.1).</summary>
/// <param name="IfMatch">The current entity tag, <c>*</c> for any, null for no expectation.</param>
/// <param name="IfNoneMatch">True when there must be no head.</param>
internal sealed record Expectation(string? IfMatch, bool IfNoneMatch);

/// <param name="Created">True for the first version.</param>
internal sealed record PutResult(long Version, string ETag, bool Created);

/// <summary>Definitions: immutable versions and one head per workflow and owner.</summary>
internal sealed class WorkflowStore(Database database, TimeProvider clock)
{
    /// <summary>Owner of seeded definitions.</summary>
    public const string SeedOwner = "*";

    public async Task<StoredDefinition?> FindHeadAsync(string tenant, string workflowId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(WorkflowQueries.VisibleHead, tenant, workflowId);
        return await row.ReadAsync(cancellationToken) ? Read(workflowId, row, 0) : null;
    }

    public async Task<StoredDefinition?> FindVersionAsync(string owner, string workflowId, long version, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(WorkflowQueries.Version, owner, workflowId, version);
        return await row.ReadAsync(cancellationToken) ? Read(workflowId, row, 0) : null;
    }

    /// <summary>Definitions visible to a tenant, ordered by id, after an id.</summary>
    public async Task<List<StoredDefinition>> ListAsync(string tenant, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(WorkflowQueries.ListVisible, tenant, after, (long)limit);
        List<StoredDefinition> definitions = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            definitions.Add(Read(rows.GetString(0), rows, 1));
        }

        return definitions;
    }

    /// <summary>
    /// Stores a new version. The bytes of the head again change nothing; the same request again answers as before. Two writers
    /// with the same expectation: the key of the version lets one win, the other is told that the expectation no longer holds.
    /// </summary>
    /// <exception cref="ProtocolException"><c>precondition_failed</c>.</exception>
    public Task<PutResult> PutAsync(
        string owner, string workflowId, ReadOnlyMemory<byte> document, Expectation expectation, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        var etag = ETagOf(document.Span);
        return database.WriteAsync(
            async session =>
            {
                if (requestId is not null && await FindRequestAsync(session, owner, requestId) is { } before)
                {
                    return before;
                }

                var head = await FindOwnHeadAsync(session, owner, workflowId);
                Require(expectation, head?.ETag);
                var unchanged = head is { } current && current.ETag == etag;
                var result = unchanged ? new PutResult(head!.Value.Version, etag, Created: false) : new PutResult((head?.Version ?? 0) + 1, etag, head is null);
                var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
                if (!unchanged)
                {
                    await session.ExecuteAsync(WorkflowQueries.InsertVersion, owner, workflowId, result.Version, etag, document, now, principal);
                    await session.ExecuteAsync(WorkflowQueries.UpsertHead, owner, workflowId, result.Version);
                }

                if (requestId is not null)
                {
                    await session.ExecuteAsync(WorkflowQueries.InsertRequest, owner, requestId, workflowId, result.Version, result.Created ? 1L : 0L, now);
                }

                return result;
            },
            cancellationToken);
    }

    /// <summary>Strong entity tag of the bytes.</summary>
    public static string ETagOf(ReadOnlySpan<byte> document) => Convert.ToHexStringLower(SHA256.HashData(document).AsSpan(0, 16));

    private static void Require(Expectation expectation, string? current)
    {
        var holds = (expectation.IfMatch, expectation.IfNoneMatch) switch
        {
            (_, true) => current is null,
            (null, _) => true,
            ("*", _) => current is not null,
            var (expected, _) => expected == current,
        };
        if (!holds)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.PreconditionFailed,
                current is null ? "The workflow does not exist." : "The workflow has another version now.",
                current is null ? null : new() { ["currentEtag"] = current }));
        }
    }

    private static async Task<PutResult?> FindRequestAsync(WriteSession session, string owner, string requestId)
    {
        await using var row = await session.QueryAsync(WorkflowQueries.FindRequest, owner, requestId);
        return await row.ReadAsync(session.CancellationToken) ? new PutResult(row.GetInt64(0), row.GetString(2), row.GetInt64(1) == 1) : null;
    }

    private static async Task<(long Version, string ETag)?> FindOwnHeadAsync(WriteSession session, string owner, string workflowId)
    {
        await using var row = await session.QueryAsync(WorkflowQueries.OwnHead, owner, workflowId);
        return await row.ReadAsync(session.CancellationToken) ? (row.GetInt64(0), row.GetString(1)) : null;
    }

    private static StoredDefinition Read(string workflowId, DbDataReader row, int column) =>
        new(workflowId, row.GetString(column), row.GetInt64(column + 1), row.GetString(column + 2), row.GetFieldValue<byte[]>(column + 3));
}
