using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class TakeOverTests
{
    private const string Expire = "UPDATE shards SET owner = NULL, address = NULL, expires_at = 0, epoch = epoch + 1";

    [Fact]
    public async Task Followers_are_shown_what_an_owner_committed_and_did_not_live_to_tell()
    {
        await using var host = await EngineHost.StartAsync([], arguments: ["--OPENWOP_CLAIM_TTL_MS=500"]);
        var runId = await host.StoreAndCreateAsync("waits", """{"id":"gate","typeId":"core.approvalGate"}""", "", "{}", "{}");
        await Eventually.TrueAsync(async () => await host.StatusAsync(runId) == "waiting-approval");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var stream = host.Client.StreamFrames(new StreamFramesRequest { RunId = runId, Modes = { "debug" } }, host.Headers, cancellationToken: limit.Token);
        await ReadToAsync(stream.ResponseStream, "node.suspended", limit.Token);

        // Another owner, that dies before it publishes.
        var database = host.Services.GetRequiredKeyedService<Database>("runs");
        await using (var silent = new RunStore(database, TimeProvider.System, (_, _) => { }, NullLogger<RunStore>.Instance))
        {
            var state = await silent.LoadStateAsync(runId, CancellationToken.None);
            var cancelled = new RunEvent(state.LastSequence + 1, DateTimeOffset.UtcNow, new RunCancelled("gone", "test", 1));
            await silent.AppendAsync(new RunAppend(host.Services.GetRequiredService<OwnedShards>().LeaseOf(runId)!.Value, [cancelled], Fold.Apply(state, cancelled)) { StoreState = true });
        }

        await database.WriteAsync(session => session.ExecuteAsync(Expire), CancellationToken.None);

        await ReadToAsync(stream.ResponseStream, "run.cancelled", limit.Token);
        Assert.False(await stream.ResponseStream.MoveNext(limit.Token));
    }

    private static async Task ReadToAsync(IAsyncStreamReader<FrameBatch> frames, string lastEvent, CancellationToken cancellationToken)
    {
        do
            Assert.True(await frames.MoveNext(cancellationToken), $"The stream ends before {lastEvent}.");
        while (frames.Current.Frames.LastOrDefault()?.Event != lastEvent);
    }
}
