using OpenWop.Micro.Workflows.Store;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

/// <summary>What reads cost does not depend on how many versions, workflows or tenants there are.</summary>
public sealed class QueryPlanTests
{
    /// <summary>Intermediate results that are no longer than the page.</summary>
    private static readonly string[] PageSized = ["SCAN own", "SCAN seeded"];

    [Theory]
    [InlineData(nameof(WorkflowQueries.VisibleHead))]
    [InlineData(nameof(WorkflowQueries.VisibleVersion))]
    [InlineData(nameof(WorkflowQueries.Version))]
    [InlineData(nameof(WorkflowQueries.ETagOfVersion))]
    [InlineData(nameof(WorkflowQueries.FindRequest))]
    [InlineData(nameof(WorkflowQueries.ForgetRequests))]
    [InlineData(nameof(WorkflowQueries.ListVisible))]
    [InlineData(nameof(WorkflowQueries.ListVisibleDocuments))]
    public async Task Every_table_is_searched_by_key(string query)
    {
        await using var host = await StartAsync();
        var sql = (string)typeof(WorkflowQueries).GetField(query)!.GetRawConstantValue()!;
        object?[] values = [.. Enumerable.Range(1, 9).Where(i => sql.Contains($"${i}", StringComparison.Ordinal)).Select(i => i < 3 ? "x" : (object?)1L)];

        await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
        await using var rows = await session.QueryAsync("EXPLAIN QUERY PLAN " + sql, values);
        var plan = new List<string>();
        while (await rows.ReadAsync())
        {
            plan.Add(rows.GetString(3));
        }

        Assert.Contains(plan, step => step.StartsWith("SEARCH", StringComparison.Ordinal));
        Assert.All(plan.Where(step => step.StartsWith("SCAN", StringComparison.Ordinal)), step => Assert.Contains(step, PageSized));
    }
}
