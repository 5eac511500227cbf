using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Workflows.Store;

/// <param name="Name">Null when the workflow goes by its id.</param>
internal sealed record ListedWorkflow(string WorkflowId, long Version, string? Name);

/// <param name="CreatedAt">Unix ms.</param>
internal sealed record ListedVersion(long Version, string ETag, long CreatedAt, string? CreatedBy);

/// <summary>What editing needs: a tenant's own workflows, with versions as the expectation.</summary>
internal sealed partial class WorkflowStore
{
    /// <summary>The head of a tenant's own workflow.</summary>
    public Task<StoredDefinition?> FindOwnHeadAsync(string owner, string workflowId, CancellationToken cancellationToken) =>
        FindAsync(WorkflowQueries.OwnHead, owner, workflowId, null, cancellationToken);

    /// <summary>What a request has stored before; null = nothing.</summary>
    public async Task<long?> FindRequestedVersionAsync(string owner, string workflowId, string requestId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(WorkflowQueries.FindRequest, owner, requestId);
        return await row.ReadAsync(cancellationToken) && row.GetString(0) == workflowId ? row.GetInt64(1) : null;
    }

    /// <summary>
    /// Stores the version after the one that the writer has seen: the head is locked, compared and moved in one transaction, so that of
    /// several writers one wins and the others learn the version that they have to look at.
    /// </summary>
    /// <param name="expected">The version that the writer has seen; 0 = the workflow is new.</param>
    /// <returns>The new version.</returns>
    /// <exception cref="ProtocolException"><c>precondition_failed</c> with <c>details.current</c>, or <c>not_found</c>.</exception>
    public Task<long> WriteVersionAsync(
        string owner,
        string workflowId,
        long expected,
        ReadOnlyMemory<byte> document,
        string? name,
        string? requestId,
        string? principal,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var (head, isDeleted) = await LockHeadAsync(session, owner, workflowId);
                if (requestId is not null && await FindRequestAsync(session, owner, workflowId, requestId) is { } before)
                    return before.Version;

                RequireHead(head, isDeleted, expected);
                var now = clock.GetUtcNow();
                var version = head + 1;
                await session.ExecuteAsync(
                    WorkflowQueries.InsertVersion, owner, workflowId, version, ETagOf(version, document.Span), document, now.ToUnixTimeMilliseconds(), principal);
                await session.ExecuteAsync(WorkflowQueries.MoveHead, owner, workflowId, version, StoredName.Of(workflowId, name));
                if (requestId is not null)
                {
                    await session.ExecuteAsync(
                        WorkflowQueries.InsertRequest, owner, requestId, workflowId, version, expected == 0 ? 1L : 0L, now.ToUnixTimeMilliseconds());
                    await session.ExecuteAsync(WorkflowQueries.ForgetRequests, (now - RequestRetention).ToUnixTimeMilliseconds());
                }

                return version;
            },
            cancellationToken);

    /// <summary>Deletes a workflow. Its versions stay: runs are pinned to them.</summary>
    /// <exception cref="ProtocolException"><c>precondition_failed</c> with <c>details.current</c>, or <c>not_found</c>.</exception>
    public Task DeleteAsync(string owner, string workflowId, long expected, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var (head, isDeleted) = await LockHeadAsync(session, owner, workflowId);
                RequireHead(head, isDeleted, expected);
                return await session.ExecuteAsync(WorkflowQueries.DeleteHead, owner, workflowId, clock.GetUtcNow().ToUnixTimeMilliseconds());
            },
            cancellationToken);

    /// <summary>One page of a tenant's own workflows, by id.</summary>
    public async Task<List<ListedWorkflow>> ListOwnAsync(string owner, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(WorkflowQueries.ListOwn, owner, after, (long)limit);
        List<ListedWorkflow> page = [];
        while (await rows.ReadAsync(cancellationToken))
            page.Add(new ListedWorkflow(rows.GetString(0), rows.GetInt64(1), rows.IsDBNull(2) ? null : rows.GetString(2)));
        return page;
    }

    /// <summary>One page of the versions of a workflow, oldest first.</summary>
    public async Task<List<ListedVersion>> ListVersionsAsync(string owner, string workflowId, long after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(WorkflowQueries.ListVersions, owner, workflowId, after, (long)limit);
        List<ListedVersion> page = [];
        while (await rows.ReadAsync(cancellationToken))
            page.Add(new ListedVersion(rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.IsDBNull(3) ? null : rows.GetString(3)));
        return page;
    }

    /// <summary>What a writer learns that has not seen the newest version.</summary>
    /// <param name="expected">0 = the writer has not said what it has seen.</param>
    public static ProtocolError VersionMismatch(long expected, long current) => expected == 0
        ? new ProtocolError(ErrorCodes.PreconditionRequired, "If-Match must name the version that is changed.")
        : new ProtocolError(ErrorCodes.PreconditionFailed, $"The workflow has version {current} now.", new JsonObject { ["current"] = current });

    private static void RequireHead(long head, bool isDeleted, long expected)
    {
        if (head == expected && !isDeleted)
            return;

        throw new ProtocolException(head == 0 || isDeleted ? ProtocolError.NotFound("workflow") : VersionMismatch(expected, head));
    }
}
