using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Store;

/// <summary>
/// What appends of several instances may claim at the same moment: the request that makes a run, and the scope of a run that is to be the
/// only living one. Requests come first and scopes second, each in the order of their names, so that no two batches wait for each other;
/// what one batch does to the same name stays in its order.
/// </summary>
internal static class CreationClaims
{
    /// <summary>Claims for all creations and gives up what ended runs have claimed.</summary>
    /// <param name="results">What has been decided on already is left out; what stands in the way of others is noted.</param>
    public static async Task TakeAsync(WriteSession session, IReadOnlyList<RunAppend> items, AppendResult?[] results, long now)
    {
        var repeated = await TakeRequestsAsync(session, items, results, now);
        await TakeScopesAsync(session, items, results, repeated.Select(again => again.Item).ToHashSet());

        // The same request twice in a batch: the second hears what became of the first.
        foreach (var (item, first) in repeated)
            results[item] = results[first] ?? new AppendResult(AppendStatus.DuplicateRequest, [], items[first].Lease.RunId);
    }

    /// <returns>Items whose request another item of the batch has claimed, with that item.</returns>
    private static async Task<List<(int Item, int First)>> TakeRequestsAsync(WriteSession session, IReadOnlyList<RunAppend> items, AppendResult?[] results, long now)
    {
        var repeated = new List<(int, int)>();
        var first = new Dictionary<(string Tenant, string RequestId), int>();
        foreach (var i in Enumerable.Range(0, items.Count)
            .Where(i => results[i] is null && items[i].Creation?.RequestId is not null)
            .OrderBy(i => items[i].State.Options!.Tenant, StringComparer.Ordinal)
            .ThenBy(i => items[i].Creation!.RequestId, StringComparer.Ordinal))
        {
            var (tenant, requestId, runId) = (items[i].State.Options!.Tenant, items[i].Creation!.RequestId!, items[i].Lease.RunId);
            if (!first.TryAdd((tenant, requestId), i))
                repeated.Add((i, first[(tenant, requestId)]));

            // Inserted before it is looked for: another instance may do the same at the same moment, and then waits for our commit.
            else if (await session.ExecuteAsync(RunQueries.InsertRequest, tenant, requestId, runId, now) == 0)
                results[i] = new AppendResult(AppendStatus.DuplicateRequest, [], await session.ScalarAsync<string>(RunQueries.FindRequest, tenant, requestId));
        }

        return repeated;
    }

    private static async Task TakeScopesAsync(WriteSession session, IReadOnlyList<RunAppend> items, AppendResult?[] results, HashSet<int> repeated)
    {
        foreach (var i in Enumerable.Range(0, items.Count)
            .Where(i => items[i].State.Options?.ScopeId is not null && !repeated.Contains(i))
            .OrderBy(i => items[i].State.Options!.Tenant, StringComparer.Ordinal)
            .ThenBy(i => items[i].State.Options!.ScopeId, StringComparer.Ordinal))
        {
            var (append, tenant, scope) = (items[i], items[i].State.Options!.Tenant, items[i].State.Options!.ScopeId!);
            if (results[i] is null && append.Creation is { ClaimScope: true } creation && await TakeScopeAsync(session, tenant, scope, append.Lease.RunId) is { } alive)
            {
                results[i] = new AppendResult(AppendStatus.ScopeTaken, [], alive);
                if (creation.RequestId is { } requestId)
                    session.Enqueue(RunQueries.DeleteRequest, tenant, requestId, append.Lease.RunId);
            }

            if (results[i] is null && append.State.IsTerminal)
                session.Enqueue(RunQueries.DeleteScope, tenant, scope, append.Lease.RunId);
        }
    }

    /// <returns>The run that has the scope; null = it is ours now.</returns>
    private static async Task<string?> TakeScopeAsync(WriteSession session, string tenant, string scope, string runId)
    {
        while (await session.ExecuteAsync(RunQueries.InsertScope, tenant, scope, runId) == 0)
        {
            // None: its run has just ended, and the scope is free.
            if (await session.ScalarAsync<string>(RunQueries.FindScope, tenant, scope) is { } alive)
                return alive;
        }

        return null;
    }
}
