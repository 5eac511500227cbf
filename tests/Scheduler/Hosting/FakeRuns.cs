using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Scheduler.Tests.Hosting;

/// <summary>A run as the engine was asked for it.</summary>
internal sealed record CreatedRun(string RunId, string Tenant, bool IsTest, string WorkflowId, JsonElement Body, string RequestId);

/// <summary>What the engine is for the scheduler: one run per request id, whatever happens. Can be made to fail.</summary>
internal sealed class FakeRuns
{
    private readonly ConcurrentDictionary<string, CreatedRun> _byRequest = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _statuses = new(StringComparer.Ordinal);
    private int _last;

    /// <summary>Called before a run is made; may throw.</summary>
    public Action<CreateRunRequest> OnCreate { get; set; } = _ => { };

    /// <summary>Called with the run that the answer is about; may throw, and the answer is lost.</summary>
    public Action<CreatedRun> OnCreated { get; set; } = _ => { };

    /// <summary>How often it was asked, also for runs that were there.</summary>
    public int Calls;

    public int Count => _byRequest.Count;

    public IReadOnlyList<CreatedRun> All => [.. _byRequest.Values.OrderBy(run => run.RunId, StringComparer.Ordinal)];

    public IReadOnlyList<CreatedRun> Of(string workflowId) => [.. All.Where(run => run.WorkflowId == workflowId)];

    public string StatusOf(string runId) => _statuses.GetValueOrDefault(runId, "running");

    public void SetStatus(string runId, string status) => _statuses[runId] = status;

    internal CreatedRun Create(CreateRunRequest request)
    {
        Interlocked.Increment(ref Calls);
        OnCreate(request);
        var body = JsonElement.Parse(request.Body.Span);
        var run = _byRequest.GetOrAdd(request.RequestId, id => new CreatedRun(
            string.Create(CultureInfo.InvariantCulture, $"run-{Interlocked.Increment(ref _last):D6}"),
            request.ActingFor.Tenant,
            request.ActingFor.Test,
            body.GetProperty("workflowId").GetString()!,
            body,
            id));
        OnCreated(run);
        return run;
    }

    internal sealed class Service(FakeRuns fake) : Runs.RunsBase
    {
        public override Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context) =>
            Task.FromResult(new CreateRunReply { RunId = fake.Create(request).RunId, Status = "running" });

        public override Task<GetRunReply> GetRun(GetRunRequest request, ServerCallContext context) =>
            Task.FromResult(new GetRunReply { Snapshot = ByteString.CopyFrom(Encoding.UTF8.GetBytes($$"""{"status":"{{fake.StatusOf(request.RunId)}}"}""")) });

        public override Task<CancelRunReply> CancelRun(CancelRunRequest request, ServerCallContext context)
        {
            if (fake.StatusOf(request.RunId) == "completed")
                throw new ProtocolException(new ProtocolError(ErrorCodes.RunTerminal, "It is over."));

            fake.SetStatus(request.RunId, "cancelled");
            return Task.FromResult(new CancelRunReply { RunId = request.RunId, Status = "cancelled" });
        }
    }
}
