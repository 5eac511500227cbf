using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.Conformance.Tests;

/// <summary>
/// The embedded host as a process of its own with the published fixtures, and what became of every scenario. They run once, many at a
/// time; the tests look up their part.
/// </summary>
public sealed class ConformingHost : IAsyncLifetime
{
    private const int Parallelism = 8;

    /// <summary>The machine may have other things to do.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What a host is started with that is to have everything.</summary>
    internal static readonly (string Name, string Value)[] Settings =
    [
        ("OPENWOP_FIXTURES", Path.Combine(AppContext.BaseDirectory, "Fixtures")),
        ("OPENWOP_CANARY_SECRET_VALUE", "sk-CANARY-openwop-conformance-secret"),
        ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"),
        ("OPENWOP_WEBHOOK_MAX_ATTEMPTS", "1"), // A delivery that fails is a dead letter at once.
        ("OPENWOP_SIGN_UP", "open"),
    ];

    private Dictionary<string, Outcome> _outcomes = [];

    internal Outcome this[string scenario] => _outcomes[scenario];

    internal IEnumerable<Outcome> Outcomes => _outcomes.Values;

    /// <summary>Operations of the OpenAPI documents that no scenario has called with success.</summary>
    internal IReadOnlyList<string> Uncalled { get; private set; } = [];

    /// <summary>Workflows that the host advertises as fixtures.</summary>
    internal IReadOnlyList<string> Advertised { get; private set; } = [];

    /// <summary>Fixtures that are advertised, and of which there is no run when all scenarios are through.</summary>
    internal IReadOnlyList<string> NeverRun { get; private set; } = [];

    public async Task InitializeAsync()
    {
        await using var standIns = await StandInServer.StartAsync();
        await using var installation = await Installation.StartAsync(Form.Embedded, [.. Settings, .. standIns.Settings]);
        using var suite = await Suite.ConnectAsync(new HostAccess(installation.BaseUrl, Installation.Key)
        {
            LowScopeKey = Installation.ReaderKey,
            OtherTenantKey = Installation.OtherTenantKey,
            Patience = Patience,
            StandIns = standIns,
        });
        _outcomes = (await Report.RunAsync(suite, Catalog.All, Parallelism)).ToDictionary(outcome => outcome.Scenario.Name, StringComparer.Ordinal);
        Uncalled = [.. suite.Contract.Uncalled];
        Advertised = [.. suite.Advertised["fixtures"].EnumerateArray().Select(id => id.GetString()!)];
        NeverRun = [.. await NeverRunAsync(suite, Advertised)];
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task<List<string>> NeverRunAsync(Suite suite, IEnumerable<string> workflows)
    {
        var never = new List<string>();
        foreach (var workflow in workflows)
        {
            if ((await suite.Host.GetAsync($"/api/runs?workflowId={workflow}&limit=1")).Expecting(200).Json.GetProperty("data").GetArrayLength() == 0)
                never.Add(workflow);
        }

        return never;
    }
}

[CollectionDefinition(Name)]
public sealed class OnConformingHost : ICollectionFixture<ConformingHost>
{
    public const string Name = "conforming host";
}
