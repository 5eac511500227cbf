using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Mailbox;

namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class ActivityLedgerTests
{
    private static readonly NodeError Broken = new("broken", "It is broken.", Retryable: true, NodeHarness.Json("{\"status\":500}"));

    [Fact]
    public void The_identity_is_the_formula_of_the_protocol()
    {
        var expected = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes("openwop:activity:v2\0tenant\0run\0node\u00007\0http:POST")));

        Assert.Equal(expected, ActivityIdentity.Of("tenant", "run", "node", 7, "http:POST"));
        Assert.Equal(43, expected.Length);
        Assert.Throws<ArgumentException>(() => ActivityIdentity.Of("tenant\0run", "", "node", 7, "http:POST"));
    }

    [Fact]
    public async Task A_settled_result_is_answered_from_the_store()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();

        var first = await owner.For(Node(database)).RunOnceAsync("p", effects.Value("{\"n\":1.50}"), CancellationToken.None);
        var again = await owner.For(Node(database)).RunOnceAsync("p", effects.Value("{\"n\":2}"), CancellationToken.None);

        Assert.Equal("{\"n\":1.50}", again.Value.GetRawText());
        Assert.Equal(first.Value.GetRawText(), again.Value.GetRawText());
        Assert.Single(effects.Identities);
        Assert.Equal("claims=1 settled=1", await database.RowsAsync());
    }

    [Fact]
    public async Task Failures_are_kept_as_well()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();

        await owner.For(Node(database)).RunOnceAsync("p", effects.Error(Broken, settled: true), CancellationToken.None);
        var again = await owner.For(Node(database)).RunOnceAsync("p", effects.Value("1"), CancellationToken.None);

        Assert.Equal((Broken.Code, Broken.Message, Broken.Retryable), (again.Error!.Code, again.Error.Message, again.Error.Retryable));
        Assert.Equal("{\"status\":500}", again.Error.Details?.GetRawText());
        Assert.Single(effects.Identities);
    }

    [Fact]
    public async Task An_unsettled_result_is_tried_again_under_the_same_identity()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();

        Assert.NotNull((await owner.For(Node(database)).RunOnceAsync("p", effects.Error(Broken, settled: false), CancellationToken.None)).Error);
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            owner.For(Node(database)).RunOnceAsync("p", effects.Throws(new InvalidOperationException()), CancellationToken.None));
        var third = await owner.For(Node(database)).RunOnceAsync("p", effects.Value("3"), CancellationToken.None);

        Assert.Equal("3", third.Value.GetRawText());
        Assert.Equal(3, effects.Identities.Count);
        Assert.Single(effects.Identities.Distinct());
        Assert.Equal("claims=3 settled=1", await database.RowsAsync());
    }

    [Fact]
    public async Task Calls_of_one_attempt_are_different_effects_and_reproduce_in_the_next()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();

        foreach (var attempt in new[] { 0, 1 })
        {
            var ledger = owner.For(Node(database, attempt));
            Assert.Equal("1", (await ledger.RunOnceAsync("p", effects.Value("1"), CancellationToken.None)).Value.GetRawText());
            Assert.Equal("2", (await ledger.RunOnceAsync("p", effects.Value("2"), CancellationToken.None)).Value.GetRawText());
        }

        Assert.Equal(2, effects.Identities.Distinct().Count());
        Assert.Equal(2, effects.Identities.Count);
    }

    [Fact]
    public async Task The_next_iteration_of_a_loop_is_a_new_effect()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();

        foreach (var iteration in new[] { 0, 1, 1 })
        {
            await owner.For(Node(database, attempt: 0, iteration)).RunOnceAsync("p", effects.Value("1"), CancellationToken.None);
        }

        Assert.Equal(2, effects.Identities.Count);
    }

    [Fact]
    public async Task Two_at_once_have_one_effect()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();
        var gate = new TaskCompletionSource();

        var calls = Enumerable.Range(0, 10)
            .Select(_ => owner.For(Node(database)).RunOnceAsync("p", effects.Value("1", gate.Task), CancellationToken.None))
            .ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(calls), result => Assert.Equal("1", result.Value.GetRawText()));
        Assert.Single(effects.Identities);
        Assert.Equal("claims=1 settled=1", await database.RowsAsync());
    }

    [Fact]
    public async Task The_claim_of_a_dead_owner_is_taken_over_and_the_dead_one_cannot_write_any_more()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var frozen = await database.NewOwnerAsync();
        var effects = new Effects();
        var frost = new TaskCompletionSource();
        var late = frozen.For(Node(database)).RunOnceAsync("p", effects.Value("\"late\"", frost.Task), CancellationToken.None);
        await effects.Begun;

        await using var next = await database.NewOwnerAsync();
        var result = await next.For(Node(database)).RunOnceAsync("p", effects.Value("\"next\""), CancellationToken.None);
        frost.SetResult();
        await Assert.ThrowsAsync<RunMovedException>(() => late);

        Assert.Equal("\"next\"", result.Value.GetRawText());
        Assert.Equal(2, effects.Identities.Count);
        Assert.Single(effects.Identities.Distinct());
        Assert.Equal("\"next\"", (await next.For(Node(database)).RunOnceAsync("p", effects.Value("0"), CancellationToken.None)).Value.GetRawText());
        Assert.Equal("claims=2 settled=1", await database.RowsAsync());
    }

    [Fact]
    public async Task Who_does_not_own_the_shard_has_no_effect()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var former = await database.NewOwnerAsync();
        await using var next = await database.NewOwnerAsync();
        var effects = new Effects();

        await Assert.ThrowsAsync<RunMovedException>(() => former.For(Node(database)).RunOnceAsync("p", effects.Value("1"), CancellationToken.None));
        await Assert.ThrowsAsync<RunMovedException>(() =>
            next.For(new NodeHarness { TypeId = "core.noop", RunId = "run-foreign" }).RunOnceAsync("p", effects.Value("1"), CancellationToken.None));

        Assert.Empty(effects.Identities);
        Assert.Empty(await database.RowsAsync());
    }

    [Fact]
    public async Task A_cancelled_effect_leaves_its_claim_to_the_next_attempt()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();
        using var cancelled = new CancellationTokenSource();
        var first = owner.For(Node(database)).RunOnceAsync("p", effects.Value("1", Task.Delay(Timeout.Infinite, cancelled.Token)), cancelled.Token);
        await effects.Begun;

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Assert.Equal("2", (await owner.For(Node(database)).RunOnceAsync("p", effects.Value("2"), CancellationToken.None)).Value.GetRawText());
    }

    [Fact]
    public async Task A_result_that_is_too_large_to_keep_does_not_lead_to_a_second_effect()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var owner = await database.NewOwnerAsync();
        var effects = new Effects();
        var large = $"\"{new string('x', ActivityRecord.MaxBytes)}\"";

        Assert.Equal(large, (await owner.For(Node(database)).RunOnceAsync("p", effects.Value(large), CancellationToken.None)).Value.GetRawText());
        var again = await owner.For(Node(database)).RunOnceAsync("p", effects.Value("1"), CancellationToken.None);

        Assert.Equal(("activity_result_not_kept", false), (again.Error!.Code, again.Error.Retryable));
        Assert.Single(effects.Identities);
    }

    private static NodeHarness Node(TestDatabase database, int attempt = 0, int iteration = 0) =>
        new() { TypeId = "core.noop", RunId = database.RunId, Attempt = attempt, Iteration = iteration };

    /// <summary>Effects that note under which identities they happened.</summary>
    private sealed class Effects
    {
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<string> identities = [];

        public Task Begun => begun.Task;

        public IReadOnlyList<string> Identities
        {
            get
            {
                lock (identities)
                {
                    return [.. identities];
                }
            }
        }

        public Func<string, CancellationToken, Task<ActivityResult>> Value(string json, Task? until = null) =>
            async (identity, _) =>
            {
                Note(identity);
                await (until ?? Task.CompletedTask);
                return new ActivityResult(JsonElement.Parse(json), null, Settled: true);
            };

        public Func<string, CancellationToken, Task<ActivityResult>> Error(NodeError error, bool settled) => (identity, _) =>
        {
            Note(identity);
            return Task.FromResult(new ActivityResult(default, error, settled));
        };

        public Func<string, CancellationToken, Task<ActivityResult>> Throws(Exception exception) => (identity, _) =>
        {
            Note(identity);
            return Task.FromException<ActivityResult>(exception);
        };

        private void Note(string identity)
        {
            lock (identities)
            {
                identities.Add(identity);
            }

            begun.TrySetResult();
        }
    }
}
