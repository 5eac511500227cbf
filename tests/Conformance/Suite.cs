using System.Diagnostics;
using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.Conformance;

/// <summary>Where the host is, and with which credentials it is called.</summary>
internal sealed record HostAccess(IReadOnlyList<Uri> BaseUrls, string ApiKey)
{
    public HostAccess(Uri baseUrl, string apiKey)
        : this([baseUrl], apiKey)
    {
    }

    /// <summary>Processes of the host die meanwhile: calls that break are made again where that is safe (<see cref="HostConnection"/>).</summary>
    public bool RetryBroken { get; init; }

    /// <summary>A key of the same tenant that may only read runs; opens scenarios about scopes.</summary>
    public string? LowScopeKey { get; init; }

    /// <summary>A key of another tenant; opens scenarios about tenants.</summary>
    public string? OtherTenantKey { get; init; }

    /// <summary>For how long a run is waited for at least, where a scenario would have less patience: for slow machines.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Whom the host was told to talk to; opens scenarios that look at what arrives there.</summary>
    public StandInServer? StandIns { get; init; }
}

/// <summary>What scenarios work with: callers of the host, what it advertises, and the steps that most of them share.</summary>
internal sealed class Suite : IDisposable
{
    private const string Document = "/v1/openapi.json";

    private static readonly string[] TerminalStatuses = ["completed", "failed", "cancelled"];
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(10);

    private readonly HostConnection _connection;
    private readonly bool _startsOverWhenLate;
    private readonly TimeSpan _patience;

    private Suite(HostAccess access)
    {
        _connection = new HostConnection(access);
        _startsOverWhenLate = access.RetryBroken;
        _patience = access.Patience;
        Host = As(access.ApiKey);
        Anonymous = new HostClient(_connection, key: null, () => Contract);
        StandIns = access.StandIns;
        LowScope = access.LowScopeKey is { } low ? As(low) : null;
        OtherTenant = access.OtherTenantKey is { } other ? As(other) : null;
    }

    /// <summary>A caller who may do everything.</summary>
    public HostClient Host { get; }

    public HostClient Anonymous { get; }

    public HostClient? LowScope { get; }

    public HostClient? OtherTenant { get; }

    public StandInServer? StandIns { get; }

    public Advertisement Advertised { get; private set; } = null!;

    /// <summary>What the host's OpenAPI document says, and which operations of it have been called.</summary>
    public ServedContract Contract { get; private set; } = ServedContract.None;

    /// <summary>Whether the host lets tests reach into it (spec/conformance.md 6.3).</summary>
    public bool HasSeams { get; private set; }

    public static async Task<Suite> ConnectAsync(HostAccess access)
    {
        var suite = new Suite(access);
        suite.Advertised = new Advertisement((await suite.Anonymous.GetAsync("/.well-known/openwop")).Expecting(200).Json);
        if (await suite.Anonymous.GetAsync(Document) is { Status: 200 })
            suite.Contract = await ServedContract.ReadAsync(Document, async route => (await suite.Anonymous.GetAsync(route)).Expecting(200).Json);
        suite.HasSeams = await suite.Host.PostAsync("/v1/host/sample/test/capability-toggle", new { reset = true }) is { Status: 200 };
        return suite;
    }

    /// <summary>Whether an outcome says nothing about the host, because one of its processes was dead meanwhile.</summary>
    public bool StartsOver(Exception exception) => exception is BrokenCallException || (_startsOverWhenLate && exception is LateException);

    /// <summary>A caller with a credential of its own.</summary>
    public HostClient As(string key) => new(_connection, key, () => Contract);

    /// <summary>Creates a run and returns its id.</summary>
    public async Task<string> CreateAsync(string workflowId, object? inputs = null, object? configurable = null)
    {
        var reply = (await Host.PostAsync("/v1/runs", Body(workflowId, inputs, configurable), ("Idempotency-Key", Guid.NewGuid().ToString()))).Expecting(201);
        return RunIdOf(reply);
    }

    /// <summary>Creates a run and waits until it is over.</summary>
    public async Task<string> CompleteAsync(string workflowId, object? inputs = null, object? configurable = null)
    {
        var runId = await CreateAsync(workflowId, inputs, configurable);
        await UntilAsync(runId, "completed");
        return runId;
    }

    /// <summary>Stores a workflow of one node, and returns its id.</summary>
    public async Task<string> StoreAsync(string typeId, object config)
    {
        var id = "conformance-" + Guid.NewGuid().ToString("n");
        (await Host.SendAsync("PUT", $"/v1/workflows/{id}", JsonSerializer.Serialize(new
        {
            id,
            name = id,
            version = "1.0",
            nodes = new[] { new { id = "node", typeId, name = "Node", position = new { x = 0, y = 0 }, config, inputs = new { } } },
            edges = Array.Empty<object>(),
            triggers = new[] { new { id = "manual", type = "manual", name = "Manual", enabled = true } },
            variables = Array.Empty<object>(),
            metadata = new { createdAt = "2026-01-01T00:00:00.000Z", updatedAt = "2026-01-01T00:00:00.000Z" },
            settings = new { timeout = 0, maxRetries = 0, errorHandling = "stop" },
        }))).Expecting(201);
        return id;
    }

    public static Dictionary<string, object> Body(string workflowId, object? inputs = null, object? configurable = null)
    {
        var body = new Dictionary<string, object> { ["workflowId"] = workflowId };
        if (inputs is not null)
            body["inputs"] = inputs;
        if (configurable is not null)
            body["configurable"] = configurable;
        return body;
    }

    public static string RunIdOf(Reply reply) => reply.Json.GetProperty("runId").GetString()!;

    public async Task<JsonElement> SnapshotAsync(string runId) => (await Host.GetAsync($"/v1/runs/{runId}")).Expecting(200).Json;

    public async Task<string> StatusAsync(string runId) => StatusOf(await SnapshotAsync(runId));

    public static string StatusOf(JsonElement snapshot) => snapshot.GetProperty("status").GetString()!;

    /// <summary>Waits until the run shows a status; fails at once when it is over with another one.</summary>
    public async Task<JsonElement> UntilAsync(string runId, string status, TimeSpan? within = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var snapshot = await SnapshotAsync(runId);
            var current = StatusOf(snapshot);
            if (current == status)
                return snapshot;

            var demand = $"The run should become {status} and is {current}: {snapshot.GetRawText()}";
            Expect.That(!TerminalStatuses.Contains(current), demand);
            Expect.InTime(Stopwatch.GetElapsedTime(started) < Limit(within), demand);
            await Task.Delay(25);
        }
    }

    /// <summary>Waits until the run is over, however it ends.</summary>
    public async Task<JsonElement> UntilTerminalAsync(string runId, TimeSpan? within = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var snapshot = await SnapshotAsync(runId);
            if (TerminalStatuses.Contains(StatusOf(snapshot)))
                return snapshot;

            Expect.InTime(Stopwatch.GetElapsedTime(started) < Limit(within), $"The run does not end: {snapshot.GetRawText()}");
            await Task.Delay(25);
        }
    }

    /// <summary>Repeats a call until it is refused for want of a credential: several instances may take seconds to hear that one has ended.</summary>
    public async Task UntilUnauthorizedAsync(Func<Task<Reply>> call)
    {
        var started = Stopwatch.GetTimestamp();
        for (var reply = await call(); reply.Status != 401; reply = await call())
        {
            reply.Expecting(200, 401);
            Expect.InTime(Stopwatch.GetElapsedTime(started) < Limit(null), "A credential that has ended goes on to be accepted.");
            await Task.Delay(25);
        }
    }

    private TimeSpan Limit(TimeSpan? within) => within is { } limit && limit > _patience ? limit : _patience > UsualPatience ? _patience : within ?? UsualPatience;

    /// <summary>All events so far.</summary>
    public async Task<List<JsonElement>> EventsAsync(string runId) =>
        [.. (await Host.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).Expecting(200).Json.GetProperty("events").EnumerateArray()];

    public static IEnumerable<string> TypesOf(IEnumerable<JsonElement> events) => events.Select(document => document.GetProperty("type").GetString()!);

    public static IEnumerable<JsonElement> OfType(IEnumerable<JsonElement> events, string type) =>
        events.Where(document => document.GetProperty("type").ValueEquals(type));

    public void Dispose() => _connection.Dispose();
}
