using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Runs.Feed;

/// <summary>The feed is for services: it shows the runs of all tenants.</summary>
internal sealed class FeedGrpcService(FeedReader reader) : Contracts.Runs.V1.Feed.FeedBase
{
    public override Task<GetHeadsReply> GetHeads(GetHeadsRequest request, ServerCallContext context)
    {
        RequireService(context);
        return reader.HeadsAsync(context.CancellationToken);
    }

    public override Task<ReadFeedReply> ReadFeed(ReadFeedRequest request, ServerCallContext context)
    {
        RequireService(context);
        return request is { Shard: >= 0 and < ShardService.ShardCount, AfterPosition: >= 0, Limit: > 0 and <= FeedReader.MaxPageSize }
            ? reader.ReadAsync(request.Shard, request.AfterPosition, request.Limit, context.CancellationToken)
            : throw new RpcException(new Status(StatusCode.InvalidArgument, "There is no such shard or position, or the page is too large."));
    }

    private static void RequireService(ServerCallContext context)
    {
        if (!context.GetCaller().IsService)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "The feed is for services."));
    }
}
