using Grpc.Core;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>What the handlers do, written by the test that calls them.</summary>
internal sealed class Script
{
    public Func<UnaryRequest, ServerCallContext, Task<UnaryResponse>> Unary { get; set; } = (_, _) => Task.FromResult(new UnaryResponse());

    public Func<IAsyncStreamReader<InputRequest>, ServerCallContext, Task<InputSummary>> Collect { get; set; } =
        (_, _) => Task.FromResult(new InputSummary());

    public Func<OutputRequest, IServerStreamWriter<OutputResponse>, ServerCallContext, Task> Produce { get; set; } = (_, _, _) => Task.CompletedTask;

    public Func<IAsyncStreamReader<OutputRequest>, IServerStreamWriter<OutputResponse>, ServerCallContext, Task> Converse { get; set; } =
        (_, _, _) => Task.CompletedTask;

    /// <summary>Services that were created and disposed.</summary>
    public List<string> Lifetimes { get; } = [];
}

internal sealed class ScriptedService : Protos.Interop.InteropBase, IDisposable
{
    private readonly Script _script;

    public ScriptedService(Script script, ScopedPart part)
    {
        _script = script;
        part.Users++;
        _script.Lifetimes.Add("service created");
    }

    public override Task<UnaryResponse> UnaryCall(UnaryRequest request, ServerCallContext context) => _script.Unary(request, context);

    public override Task<InputSummary> CollectInput(IAsyncStreamReader<InputRequest> requestStream, ServerCallContext context)
        => _script.Collect(requestStream, context);

    public override Task ProduceOutput(OutputRequest request, IServerStreamWriter<OutputResponse> responseStream, ServerCallContext context)
        => _script.Produce(request, responseStream, context);

    public override Task Converse(
        IAsyncStreamReader<OutputRequest> requestStream, IServerStreamWriter<OutputResponse> responseStream, ServerCallContext context)
        => _script.Converse(requestStream, responseStream, context);

    public void Dispose() => _script.Lifetimes.Add("service disposed");
}

/// <summary>Something that lives as long as the scope of a call.</summary>
internal sealed class ScopedPart(Script script) : IDisposable
{
    public int Users { get; set; }

    public void Dispose() => script.Lifetimes.Add($"scope with {Users} user disposed");
}
