using System.Data.Common;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Store;

/// <summary>Which runs a list shows.</summary>
/// <param name="State">A state of the authoring plane; null = any.</param>
internal sealed record RunFilter(string? State, string? WorkflowId, string? Tag);

/// <summary>Where a page ended.</summary>
/// <param name="CreatedAt">Unix ms.</param>
internal readonly record struct RunCursor(long CreatedAt, string RunId)
{
    /// <summary>Before the newest run.</summary>
    public static readonly RunCursor Start = new(long.MaxValue, "");
}

/// <summary>A run in a list.</summary>
/// <param name="State">The stored fold; null where there is none that is up to date.</param>
internal sealed record ListedRun(RunCursor Cursor, RunState? State);

/// <summary>
/// Lists runs, newest first. Each filter has an index in the order of the list, so that a page costs what it shows; of several filters
/// the narrowest leads and the others are held against what it finds.
/// </summary>
internal sealed class RunListing(Database database)
{
    private const string Columns = "r.run_id, r.created_at, r.last_sequence, s.sequence, s.state FROM runs r LEFT JOIN run_states s ON s.run_id = r.run_id";

    private const string Page = "(r.created_at < $3 OR (r.created_at = $3 AND r.run_id < $4)) AND r.expired_at IS NULL ORDER BY r.created_at DESC, r.run_id DESC LIMIT $5";

    private const string All = $"SELECT {Columns} WHERE r.tenant = $1 AND r.test = $2 AND {Page}";

    private const string OfState = $"SELECT {Columns} WHERE r.tenant = $1 AND r.test = $2 AND r.state = $6 AND {Page}";

    private const string OfWorkflow = $"SELECT {Columns} WHERE r.tenant = $1 AND r.test = $2 AND r.workflow_id = $6 AND {Page}";

    private const string OfWorkflowAndState = $"SELECT {Columns} WHERE r.tenant = $1 AND r.test = $2 AND r.workflow_id = $6 AND r.state = $7 AND {Page}";

    private const string OfTag = $"""
        SELECT r.run_id, r.created_at, r.last_sequence, s.sequence, s.state
        FROM run_tags t
        JOIN runs r ON r.run_id = t.run_id
        LEFT JOIN run_states s ON s.run_id = r.run_id
        WHERE t.tenant = $1 AND t.test = $2 AND t.tag = $6
          AND (t.created_at < $3 OR (t.created_at = $3 AND t.run_id < $4))
          AND r.expired_at IS NULL AND ($7 = '' OR r.state = $7) AND ($8 = '' OR r.workflow_id = $8)
        ORDER BY t.created_at DESC, t.run_id DESC LIMIT $5
        """;

    public async Task<List<ListedRun>> ListAsync(string tenant, bool isTest, RunFilter filter, RunCursor after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        object[] page = [tenant, isTest ? 1L : 0L, after.CreatedAt, after.RunId, (long)limit];
        await using var rows = await (filter switch
        {
            { Tag: { } tag } => session.QueryAsync(OfTag, [.. page, tag, filter.State ?? "", filter.WorkflowId ?? ""]),
            { WorkflowId: { } workflowId, State: { } state } => session.QueryAsync(OfWorkflowAndState, [.. page, workflowId, state]),
            { WorkflowId: { } workflowId } => session.QueryAsync(OfWorkflow, [.. page, workflowId]),
            { State: { } state } => session.QueryAsync(OfState, [.. page, state]),
            _ => session.QueryAsync(All, page),
        });
        List<ListedRun> runs = [];
        while (await rows.ReadAsync(cancellationToken))
            runs.Add(Read(rows));
        return runs;
    }

    private static ListedRun Read(DbDataReader row)
    {
        var isCurrent = !row.IsDBNull(3) && row.GetInt64(3) == row.GetInt64(2);
        return new ListedRun(new RunCursor(row.GetInt64(1), row.GetString(0)), isCurrent ? StateCodec.Decode(row.GetFieldValue<byte[]>(4)) : null);
    }
}
