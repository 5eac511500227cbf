using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>
/// A shard is lost and comes back before its mailboxes have noticed, and what is to wake their runs meets them in between. No heartbeat and
/// no review comes to help within these tests.
/// </summary>
public sealed class LostShardTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication _server = null!;
    private EngineHost _host = null!;
    private int _calls;

    private OwnedShards Shards => _host.Services.GetRequiredService<OwnedShards>();

    private RunRegistry Registry => _host.Services.GetRequiredService<RunRegistry>();

    private Database Database => _host.Services.GetRequiredKeyedService<Database>("runs");

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.MapGet("/", AnswerSecondAsync);
        await _server.StartAsync();
        _host = await EngineHost.StartAsync(
            [], arguments: ["--OPENWOP_CLAIM_TTL_MS=300000", "--OPENWOP_HEARTBEAT_INTERVAL_MS=150000", "--OPENWOP_EGRESS_ALLOW_PRIVATE=true"]);
    }

    [Fact]
    public async Task A_wake_up_that_meets_the_mailbox_of_an_older_epoch_is_not_lost()
    {
        var runId = await CreateAsync();
        var lease = Shards.LeaseOf(runId)!.Value;

        Shards.Remove(lease.Shard);
        await Database.WriteAsync(session => session.ExecuteAsync("UPDATE shards SET epoch = epoch + 1 WHERE shard = $1", lease.Shard), CancellationToken.None);
        Shards.Add(lease.Shard, lease.Epoch + 1);
        Registry.Wake(runId);

        await CompletesAsync(runId);
    }

    [Fact]
    public async Task A_wake_up_that_meets_a_mailbox_while_its_lease_is_not_confirmed_is_not_lost()
    {
        var runId = await CreateAsync();

        // False for the one who asks first, the mailbox.
        var lapses = 1;
        Shards.ConfirmBy(() => Interlocked.Exchange(ref lapses, 0) == 0);
        Registry.Wake(runId);
        await Eventually.TrueAsync(() => Volatile.Read(ref lapses) == 0);

        await CompletesAsync(runId);
    }

    [Fact]
    public async Task A_mailbox_that_has_lost_its_shard_says_nothing_about_its_run()
    {
        var runId = await CreateAsync();
        var lease = Shards.LeaseOf(runId)!.Value;
        Assert.NotNull(Registry.StateOf(runId));

        Shards.Add(lease.Shard, lease.Epoch + 1);

        Assert.Null(Registry.StateOf(runId));
    }

    [Fact]
    public async Task A_run_that_goes_on_by_itself_after_a_commit_is_marked_for_the_next_owner()
    {
        await Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("CREATE TABLE seen (status TEXT, active INTEGER)");
                await session.ExecuteAsync("CREATE TRIGGER made AFTER INSERT ON runs BEGIN INSERT INTO seen VALUES (NEW.status, NEW.active); END");
                await session.ExecuteAsync("CREATE TRIGGER changed AFTER UPDATE ON runs BEGIN INSERT INTO seen VALUES (NEW.status, NEW.active); END");
            },
            CancellationToken.None);
        const int Length = 700;
        var nodes = string.Join(',', Enumerable.Range(0, Length).Select(number => $$"""{"id":"n{{number}}","typeId":"core.noop"}"""));
        var edges = string.Join(',', Enumerable.Range(1, Length - 1).Select(number => $$"""{"id":"e{{number}}","sourceNodeId":"n{{number - 1}}","targetNodeId":"n{{number}}"}"""));

        await _host.WaitForEndAsync(await _host.StoreAndCreateAsync("long", nodes, edges, "{}", "{}"));

        await using var session = await Database.OpenReadAsync(CancellationToken.None);
        Assert.NotEqual(0, await session.ScalarAsync<long>("SELECT count(*) FROM seen WHERE status = 'running'"));
        Assert.Equal(0, await session.ScalarAsync<long>("SELECT count(*) FROM seen WHERE status = 'running' AND active = 0"));
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>A run whose only node is in the middle of a call, so that its mailbox is in memory.</summary>
    private async Task<string> CreateAsync()
    {
        var url = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var runId = await _host.StoreAndCreateAsync("calls", $$$"""{"id":"call","typeId":"core.http.request","config":{"url":"{{{url}}}/","method":"GET"}}""", "", "{}", "{}");
        await _called.Task.WaitAsync(Eventually.Limit);
        return runId;
    }

    private Task CompletesAsync(string runId) => Eventually.TrueAsync(async () => await _host.StatusAsync(runId) == "completed");

    /// <summary>The first call gets no answer.</summary>
    private async Task AnswerSecondAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _calls) == 1)
        {
            _called.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        await context.Response.WriteAsJsonAsync(new { done = true });
    }
}
