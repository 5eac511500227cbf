using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>
/// What stands behind the gateway in these tests, besides the real identity service: services small enough to see through, which
/// write down what reaches them. The real ones run in the end-to-end tests.
/// </summary>
internal sealed class FakeServices
{
    private int _ended;

    /// <summary>Subscriptions that are over.</summary>
    public int Ended => Volatile.Read(ref _ended);

    /// <summary>Requests that reached a service, in order.</summary>
    public ConcurrentQueue<IMessage> Received { get; } = new();

    public Func<CreateRunRequest, CreateRunReply> CreateRun { get; set; } = static _ => new CreateRunReply { RunId = "run-1", Status = "running" };

    public Func<CancelRunRequest, CancelRunReply> CancelRun { get; set; } = static request => new CancelRunReply { RunId = request.RunId, Status = "cancelled" };

    public Func<ReadEventsRequest, ReadEventsReply> ReadEvents { get; set; } = static _ => throw new ProtocolException(ProtocolError.NotFound("run"));

    public Func<PutDefinitionRequest, PutDefinitionReply> PutDefinition { get; set; } = static _ => new PutDefinitionReply { Version = 1, Etag = "e1", Created = true };

    /// <summary>Snapshots by run id.</summary>
    public ConcurrentDictionary<string, string> Snapshots { get; } = new() { ["run-1"] = """{"runId":"run-1","workflowId":"w","status":"running","n":1.0}""" };

    /// <summary>Batches of frames by run id; the stream ends when the channel is complete.</summary>
    public ConcurrentDictionary<string, Channel<FrameBatch>> Frames { get; } = new();

    public List<Definition> Seeded { get; } = [];

    public List<string> NodeTypes { get; } = ["core.noop"];

    public Channel<FrameBatch> AddStream(string runId) => Frames[runId] = Channel.CreateUnbounded<FrameBatch>();

    public sealed class WorkflowsService(FakeServices fakes) : Contracts.Workflows.V1.Workflows.WorkflowsBase
    {
        public override Task<Definition> GetDefinition(GetDefinitionRequest request, ServerCallContext context) =>
            Task.FromResult(fakes.Seeded.FirstOrDefault(definition => definition.WorkflowId == request.WorkflowId)
                ?? throw new ProtocolException(ProtocolError.NotFound("workflow")));

        public override Task<PutDefinitionReply> PutDefinition(PutDefinitionRequest request, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            return Task.FromResult(fakes.PutDefinition(request));
        }

        public override Task<ListDefinitionsReply> ListDefinitions(ListDefinitionsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListDefinitionsReply { Definitions = { fakes.Seeded } });
    }

    public sealed class RunsService(FakeServices fakes) : Contracts.Runs.V1.Runs.RunsBase
    {
        public override Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            return Task.FromResult(fakes.CreateRun(request));
        }

        public override Task<GetRunReply> GetRun(GetRunRequest request, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            return Task.FromResult(fakes.Snapshots.TryGetValue(request.RunId, out var json)
                ? new GetRunReply { Snapshot = ByteString.CopyFromUtf8(json) }
                : throw new ProtocolException(ProtocolError.NotFound("run")));
        }

        public override Task<ReadEventsReply> ReadEvents(ReadEventsRequest request, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            return Task.FromResult(fakes.ReadEvents(request));
        }

        public override async Task StreamFrames(StreamFramesRequest request, IServerStreamWriter<FrameBatch> responseStream, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            if (!fakes.Frames.TryGetValue(request.RunId, out var frames))
                throw new ProtocolException(ProtocolError.NotFound("run"));

            try
            {
                await responseStream.WriteAsync(new FrameBatch(), context.CancellationToken);
                await foreach (var batch in frames.Reader.ReadAllAsync(context.CancellationToken))
                    await responseStream.WriteAsync(batch, context.CancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref fakes._ended);
            }
        }

        public override Task<CancelRunReply> CancelRun(CancelRunRequest request, ServerCallContext context)
        {
            fakes.Received.Enqueue(request);
            return Task.FromResult(fakes.CancelRun(request));
        }

        public override Task<ListNodeTypesReply> ListNodeTypes(ListNodeTypesRequest request, ServerCallContext context) =>
            Task.FromResult(new ListNodeTypesReply
            {
                NodeTypes = { fakes.NodeTypes.Select(typeId => new NodeType { TypeId = typeId }) },
                Limits = new EngineLimits { MaxNodeExecutions = 1000 },
            });
    }
}
