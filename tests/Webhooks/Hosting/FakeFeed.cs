using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Events;

namespace OpenWop.Micro.Webhooks.Tests.Hosting;

/// <summary>A feed that the test writes.</summary>
internal sealed class FakeFeed
{
    public const int Shards = 4;

    private readonly List<FeedEvent>[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new List<FeedEvent>())];
    private readonly Dictionary<string, long> _sequences = [];

    /// <summary>Who is told that there is something new.</summary>
    public List<IEventBus> Listeners { get; } = [];

    /// <summary>Commits an event of a run, whose last character tells the shard.</summary>
    public FeedEvent Commit(string runId, string type = "run.completed", string tenant = "acme", bool isTest = false, params string[] tags) =>
        Commit(new FeedEvent { RunId = runId, Type = type, Tenant = tenant, Test = isTest, Tags = { tags }, WorkflowId = "source" });

    /// <summary>Commits an event; position, sequence and document are filled in.</summary>
    /// <param name="payload">UTF-8 JSON.</param>
    public FeedEvent Commit(FeedEvent @event, string payload = """{"text":"Zoë"}""")
    {
        var shard = @event.RunId[^1] % Shards;
        lock (_shards)
        {
            @event.Sequence = _sequences[@event.RunId] = _sequences.GetValueOrDefault(@event.RunId, -1) + 1;
            @event.Position = _shards[shard].Count + 1;
            @event.Document = ByteString.CopyFromUtf8(
                $$"""{"eventId":"evt-{{@event.RunId}}-{{@event.Sequence}}","runId":"{{@event.RunId}}","type":"{{@event.Type}}","payload":{{payload}},"sequence":{{@event.Sequence}}}""");
            _shards[shard].Add(@event);
        }

        foreach (var bus in Listeners)
            bus.Publish(new BusMessage($"feed/{shard}", @event.Position, ReadOnlyMemory<byte>.Empty));

        return @event;
    }

    internal sealed class Service(FakeFeed feed) : Feed.FeedBase
    {
        public override Task<GetHeadsReply> GetHeads(GetHeadsRequest request, ServerCallContext context)
        {
            lock (feed._shards)
                return Task.FromResult(new GetHeadsReply { Positions = { feed._shards.Select(shard => (long)shard.Count) } });
        }

        public override Task<ReadFeedReply> ReadFeed(ReadFeedRequest request, ServerCallContext context)
        {
            lock (feed._shards)
            {
                var page = feed._shards[request.Shard].Where(@event => @event.Position > request.AfterPosition).Take(request.Limit).ToArray();
                return Task.FromResult(new ReadFeedReply { Events = { page }, Position = page.Length > 0 ? page[^1].Position : request.AfterPosition });
            }
        }
    }
}
