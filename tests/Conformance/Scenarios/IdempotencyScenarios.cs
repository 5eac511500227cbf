using System.Globalization;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.4: calls that come more than once, and many at the same time.</summary>
internal static class IdempotencyScenarios
{
    private const string Section = "7.4 Idempotency and load";
    private const string Workflow = "conformance-idempotent";
    private const string Replayed = "openwop-Idempotent-Replay";
    private static readonly Gate Fixture = Gate.Fixtures(Workflow);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A retry gets the first run and says so", Fixture, RetryAsync),
        new(Section, "The key of another request is refused", Fixture, MismatchAsync),
        new(Section, "Five quick retries create one run", Fixture, QuickRetriesAsync),
        new(Section, "Ten equal calls at once create one run", Fixture, EqualCallsAsync),
        new(Section, "Ten different calls at once create ten runs", Fixture, async suite =>
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => CreateAsync(suite, NewKey(), "same")));
            Expect.Equal(10, replies.Select(reply => Suite.RunIdOf(reply.Expecting(201))).Distinct().Count(), "distinct runs");
        }),
        new(Section, "A refused request may be corrected under its key", Fixture, async suite =>
        {
            var key = NewKey();
            (await suite.Host.PostAsync("/v1/runs", Suite.Body(Workflow, new { nonce = 5 }), ("Idempotency-Key", key))).Expecting(400);
            (await CreateAsync(suite, key, "right")).Expecting(201);
        }),
        new(Section, "A retry of a cancel gets the first answer", Gate.Fixtures("conformance-cancellable"), CancelTwiceAsync),
        new(Section, "Retention and reach of idempotency are stated in the vocabulary", Gate.Family("idempotency"), suite =>
        {
            var block = suite.Advertised["idempotency"];
            if (block.TryGetProperty("crossRegion", out var reach))
                Expect.OneOf(reach.GetString(), "idempotency.crossRegion", "single-region", "best-effort", "strict");
            foreach (var retention in block.EnumerateObject().Where(member => member.Name.EndsWith("RetentionSeconds", StringComparison.Ordinal)))
                Expect.That(retention.Value.GetInt64() > 0, $"idempotency.{retention.Name}");
            return Task.CompletedTask;
        }),
        new(Section, "An advertised acknowledgement time is at least five seconds", Gate.Family("limits.idempotencyAckTimeoutSec"), suite =>
        {
            Expect.That(suite.Advertised["limits", "idempotencyAckTimeoutSec"].GetInt32() >= 5, "limits.idempotencyAckTimeoutSec");
            return Task.CompletedTask;
        }),
        new(Section, "Many calls are answered, or told when to come back", Gate.Base, RateLimitAsync),
    ];

    private static string NewKey() => $"conformance-{Guid.NewGuid():n}";

    private static Task<Reply> CreateAsync(Suite suite, string key, string nonce) =>
        suite.Host.PostAsync("/v1/runs", Suite.Body(Workflow, new { nonce }), ("Idempotency-Key", key));

    private static async Task RetryAsync(Suite suite)
    {
        var key = NewKey();
        var first = (await CreateAsync(suite, key, "n")).Expecting(201);
        Expect.OneOf(first.Header(Replayed), $"{Replayed} of a first answer", null, "false");
        var second = (await CreateAsync(suite, key, "n")).Expecting(200, 201);
        Expect.Equal("true", second.Header(Replayed), Replayed);
        Expect.Equal(first.Text, second.Text, "replayed body");

        // Order of members and white space are no difference.
        var respelled = await suite.Host.SendAsync("POST", "/v1/runs", $$"""{ "inputs" : { "nonce" : "n" }, "workflowId":"{{Workflow}}" }""", ("Idempotency-Key", key));
        Expect.Equal(first.Text, respelled.Expecting(200, 201).Text, "replayed body");
    }

    private static async Task MismatchAsync(Suite suite)
    {
        var key = NewKey();
        (await CreateAsync(suite, key, "one")).Expecting(201);
        (await CreateAsync(suite, key, "two")).Expecting(409, "idempotency_key_mismatch");
        (await suite.Host.PostAsync("/v1/runs", Suite.Body(Workflow, new { nonce = "n" }), ("Idempotency-Key", new string('k', 256)))).Expecting(400, "validation_error");
    }

    private static async Task QuickRetriesAsync(Suite suite)
    {
        var key = NewKey();
        var runs = new HashSet<string>();
        for (var i = 0; i < 5; i++)
            runs.Add(Suite.RunIdOf((await CreateAsync(suite, key, "n")).Expecting(200, 201)));
        Expect.Equal(1, runs.Count, "distinct runs");
    }

    private static async Task EqualCallsAsync(Suite suite)
    {
        var key = NewKey();
        var replies = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => CreateAsync(suite, key, "n")));
        var runs = new HashSet<string>();
        foreach (var reply in replies)
        {
            if (reply.Status == 409)
                Expect.That(reply.Expecting(409, "idempotency_in_flight").Details.GetProperty("retryAfter").GetInt64() > 0, "details.retryAfter");
            else
                runs.Add(Suite.RunIdOf(reply.Expecting(200, 201)));
        }

        Expect.Equal(1, runs.Count, "distinct runs");
    }

    private static async Task CancelTwiceAsync(Suite suite)
    {
        var runId = await suite.CreateAsync("conformance-cancellable");
        var other = await suite.CreateAsync("conformance-cancellable");
        var key = NewKey();
        var first = (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel", null, ("Idempotency-Key", key))).Expecting(200);
        var second = (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel", null, ("Idempotency-Key", key))).Expecting(200);
        Expect.Equal(first.Text, second.Text, "replayed body");
        Expect.Equal("true", second.Header(Replayed), Replayed);

        // The key belongs to the one run: another one must not get its answer.
        (await suite.Host.PostAsync($"/v1/runs/{other}/cancel", null, ("Idempotency-Key", key))).Expecting(409, "idempotency_key_mismatch");
        (await suite.Host.PostAsync($"/v1/runs/{other}/cancel")).Expecting(200);
    }

    private static async Task RateLimitAsync(Suite suite)
    {
        for (var i = 0; i < 50; i++)
        {
            var reply = await suite.Anonymous.GetAsync("/.well-known/openwop");
            if (reply.Status != 429)
            {
                reply.Expecting(200);
                continue;
            }

            reply.Expecting(429, "rate_limited");
            Expect.That(int.TryParse(reply.Header("Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0, "Retry-After");
            if (reply.Json.TryGetProperty("details", out var details) && details.TryGetProperty("scope", out var scope))
                Expect.OneOf(scope.GetString(), "details.scope", "tenant", "route", "global", "key");
            return;
        }
    }
}
