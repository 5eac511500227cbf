using System.Globalization;
using OpenWop.Micro.Conformance;
using OpenWop.Micro.StandIns;

const string Usage = """
    Holds a running OpenWOP server to the protocol, from outside.

      --base-url <url>           required; several addresses of one host: separated by commas, for --retry-broken
      --api-key <key>            required; a key with all scopes
      --low-scope-key <key>      a key of the same tenant with runs:read only; opens scenarios about scopes
      --other-tenant-key <key>   a key of another tenant; opens scenarios about tenants
      --stand-ins <port>         starts a language model, an MCP server and an A2A agent at that port, and prints the settings with which the
                                 host has to be started; opens scenarios that look at what arrives there
      --filter <text>            only scenarios whose section or name contains it
      --patience <seconds>       for how long runs are waited for, where a scenario would wait less (for slow machines)
      --parallel <n>             scenarios at a time (8)
      --retry-broken             processes of the host die meanwhile: a call that breaks is made again at the next address when that is
                                 safe (GET, or with an Idempotency-Key), otherwise its scenario starts over

    Exit code: 0 all passed, 1 something failed, 2 could not start.
    """;

var options = ReadOptions(args);
if (options is null || !options.TryGetValue("base-url", out var url) || !options.TryGetValue("api-key", out var key)
    || ReadUrls(url) is not { } baseUrls
    || !int.TryParse(options.GetValueOrDefault("parallel", "8"), NumberStyles.None, CultureInfo.InvariantCulture, out var parallelism) || parallelism == 0
    || !ushort.TryParse(options.GetValueOrDefault("patience", "0"), NumberStyles.None, CultureInfo.InvariantCulture, out var patience))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var filter = options.GetValueOrDefault("filter", "");
Scenario[] scenarios = [.. Catalog.All.Where(scenario => $"{scenario.Section} {scenario.Name}".Contains(filter, StringComparison.OrdinalIgnoreCase))];
StandInServer? standIns = null;
try
{
    standIns = await StartStandInsAsync(options.GetValueOrDefault("stand-ins"));
    using var suite = await Suite.ConnectAsync(new HostAccess(baseUrls, key)
    {
        LowScopeKey = options.GetValueOrDefault("low-scope-key"),
        OtherTenantKey = options.GetValueOrDefault("other-tenant-key"),
        RetryBroken = options.ContainsKey("retry-broken"),
        Patience = TimeSpan.FromSeconds(patience),
        StandIns = standIns,
    });
    var outcomes = await Report.RunAsync(suite, scenarios, parallelism);
    Report.Print(outcomes, Console.Out);
    if (filter.Length == 0 && suite.Contract.Uncalled.ToList() is { Count: > 0 } uncalled)
        Console.WriteLine($"  documented operations without a successful call: {string.Join(", ", uncalled)}");
    return outcomes.Any(outcome => outcome.Verdict == Verdict.Failed) ? 1 : 0;
}
catch (Exception exception) when (exception is HttpRequestException or IOException or OpenWop.Micro.Conformance.Driver.ConformanceException)
{
    Console.Error.WriteLine($"Cannot start: {exception.Message}");
    return 2;
}
finally
{
    if (standIns is not null)
        await standIns.DisposeAsync();
}

// Null without a port. Whoever starts the host can copy the settings.
static async Task<StandInServer?> StartStandInsAsync(string? port)
{
    if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        return null;

    var started = await StandInServer.StartAsync(number);
    foreach (var (name, value) in started.Settings)
        Console.WriteLine($"export {name}='{value}'");
    return started;
}

// "--name value" or "--name=value"; null when it is neither.
static Dictionary<string, string>? ReadOptions(string[] args)
{
    var options = new Dictionary<string, string>(StringComparer.Ordinal);
    for (var i = 0; i < args.Length; i++)
    {
        if (!args[i].StartsWith("--", StringComparison.Ordinal))
            return null;

        var name = args[i][2..];
        if (name == "retry-broken")
            options[name] = "";
        else if (name.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
            options[name[..equals]] = name[(equals + 1)..];
        else if (++i < args.Length)
            options[name] = args[i];
        else
            return null;
    }

    return options;
}

// Null when one of them is not absolute.
static List<Uri>? ReadUrls(string list)
{
    var urls = new List<Uri>();
    foreach (var text in list.Split(','))
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            return null;

        urls.Add(url);
    }

    return urls;
}
