namespace OpenWop.Micro.Conformance.Tests;

public sealed class ConformanceTests(ConformingHost host) : IClassFixture<ConformingHost>
{
    /// <summary>
    /// What this server does not claim yet, by gate: scenarios behind them are held against it as soon as it does. Everything else
    /// has to be advertised, so that nothing drops out unnoticed.
    /// </summary>
    private static readonly string[] Optional =
    [
        "mcp", "aiProviders", "limits.idempotencyAckTimeoutSec", "conformance-capability-missing",
        "no debugBundle", "no conversationPrimitive", "test seams",
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
    public void Every_operation_of_the_OpenAPI_document_was_called_and_answered_as_described() => Assert.Empty(host.Uncalled);

    [Fact]
    public void Every_scenario_has_a_name_of_its_own() => Assert.Equal(Catalog.All.Count, Catalog.All.Select(scenario => scenario.Name).Distinct().Count());

    private static bool IsOptional(Scenario scenario) => scenario.Gate.Name.Split(", ").Any(part => Optional.Any(family => part.StartsWith(family, StringComparison.Ordinal)));
}
