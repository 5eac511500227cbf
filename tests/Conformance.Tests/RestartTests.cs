using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.Conformance.Tests;

/// <summary>
/// The suite against a host with its test seams on, which is killed in the middle: half of the scenarios come before, and all of them,
/// on the data that the first half has left, after it.
/// </summary>
public sealed class RestartTests
{
    private const int Parallelism = 8;

    [Fact]
    public async Task The_suite_passes_before_and_after_the_host_was_killed()
    {
        await using var standIns = await StandInServer.StartAsync();
        await using var installation = await Installation.StartAsync(
            Form.Embedded, [.. ConformingHost.Settings, .. standIns.Settings, ("OPENWOP_TEST_SEAM_ENABLED", "true")]);
        var access = new HostAccess(installation.BaseUrl, Installation.Key)
        {
            LowScopeKey = Installation.ReaderKey,
            OtherTenantKey = Installation.OtherTenantKey,
            Patience = ConformingHost.Patience,
            StandIns = standIns,
        };

        using (var suite = await Suite.ConnectAsync(access))
            AssertNothingFailed(await Report.RunAsync(suite, [.. Catalog.All.Where((_, index) => index % 2 == 0)], Parallelism));

        var startAgain = await installation.CrashAsync("standalone");
        await startAgain();

        using (var suite = await Suite.ConnectAsync(access))
        {
            var outcomes = await Report.RunAsync(suite, Catalog.All, Parallelism);
            AssertNothingFailed(outcomes);
            Assert.DoesNotContain(outcomes, outcome => outcome.Verdict == Verdict.NotAdvertised && (outcome.Scenario.Gate.Name.Contains("test seams", StringComparison.Ordinal) && !outcome.Scenario.Gate.Name.StartsWith("no ", StringComparison.Ordinal)));
            Assert.Equal(["bootstrap"], suite.Contract.Uncalled);
        }
    }

    private static void AssertNothingFailed(IReadOnlyList<Outcome> outcomes)
    {
        Assert.Contains(outcomes, outcome => outcome.Verdict == Verdict.Passed);
        var failures = outcomes.Where(outcome => outcome.Verdict == Verdict.Failed).Select(outcome => $"{outcome.Scenario.Name}: {outcome.Reason}").ToList();
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }
}
