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

    public IEventBus? Bus { get; set; }

    /// <summary>Commits an event of a run, whose last character tells the shard.</summary>
    public FeedEvent Commit(string runId, string type = "run.completed", string tenant = "acme", bool isTest = false, params string[] tags)
    {
        var shard = runId[^1] % Shards;
        FeedEvent @event;
        lock (_shards)
        {
            var sequence = _sequences[runId] = _sequences.GetValueOrDefault(runId, -1) + 1;
            @event = new FeedEvent
            {
                Position = _shards[shard].Count + 1,
                RunId = runId,
                Sequence = sequence,
                Type = type,
                Document = ByteString.CopyFromUtf8($$"""{"eventId":"evt-{{runId}}-{{sequence}}","runId":"{{runId}}","type":"{{type}}","payload":{"text":"Zoë"},"sequence":{{sequence}}}"""),
                Tenant = tenant,
                Test = isTest,
                Tags = { tags },
            };
            _shards[shard].Add(@event);
        }

        Bus?.Publish(new BusMessage($"feed/{shard}", @event.Position, ReadOnlyMemory<byte>.Empty));
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
