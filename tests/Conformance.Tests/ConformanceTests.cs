namespace OpenWop.Micro.Conformance.Tests;

[Collection(OnConformingHost.Name)]
public sealed class ConformanceTests(ConformingHost host)
{
    /// <summary>
    /// What does not apply to this host, by gate, and why. Everything else has to be advertised, so that nothing drops out unnoticed.
    /// </summary>
    private static readonly string[] Optional =
    [
        "limits.idempotencyAckTimeoutSec", // The published schema of the limits is closed and lacks it.
        "no debugBundle", // This host has debug bundles,
        "no conversationPrimitive", // and conversations.
        "test seams", // RestartTests turns them on and demands these.
    ];

    public static TheoryData<string> Claimed => [.. Catalog.All.Where(scenario => !IsOptional(scenario)).Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Claimed))]
    public void The_embedded_host_conforms(string scenario)
    {
        var outcome = host[scenario];
        Assert.True(outcome.Verdict == Verdict.Passed, $"{outcome.Scenario.Section}: {scenario}: {outcome.Verdict} {outcome.Reason}");
    }

    [Fact]
    public void Whatever_else_it_advertises_conforms_too() =>
        Assert.Empty(host.Outcomes.Where(outcome => IsOptional(outcome.Scenario) && outcome.Verdict == Verdict.Failed).Select(outcome => $"{outcome.Scenario.Name}: {outcome.Reason}"));

    [Fact]
    public void Every_operation_of_the_OpenAPI_documents_was_called_and_answered_as_described() =>
        Assert.Equal(["bootstrap"], host.Uncalled); // Works with the operator's token only, and answers as signUp does.

    [Fact]
    public void Every_scenario_has_a_name_of_its_own() => Assert.Equal(Catalog.All.Count, Catalog.All.Select(scenario => scenario.Name).Distinct().Count());

    internal static bool IsOptional(Scenario scenario) => scenario.Gate.Name.Split(", ").Any(part => Optional.Any(family => part.StartsWith(family, StringComparison.Ordinal)));
}
