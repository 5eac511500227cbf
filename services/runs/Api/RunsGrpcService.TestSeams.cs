using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Runs.Api;

/// <content>What tests of the protocol write down for the provider <c>mock</c>: in this process, whichever runs ask there.</content>
internal sealed partial class RunsGrpcService
{
    public override Task<ProgramModelReply> ProgramModel(ProgramModelRequest request, ServerCallContext context)
    {
        RequireSeams();
        if (request.NodeId.Length is 0 or > 128)
            throw new ProtocolException(ProtocolError.Validation("nodeId must be the id of a node.", "nodeId"));

        return Task.FromResult(new ProgramModelReply { Answers = programs.Set(context.GetCaller().Tenant, request.NodeId, JsonElement.Parse(request.Program.Span)) });
    }

    public override Task<GetModelBudgetReply> GetModelBudget(GetModelBudgetRequest request, ServerCallContext context)
    {
        RequireSeams();
        var reply = new GetModelBudgetReply();
        if (programs.LastBudget(context.GetCaller().Tenant, request.NodeId) is { } tokens)
            reply.MaxTokens = tokens;
        return Task.FromResult(reply);
    }

    private void RequireSeams()
    {
        if (!seams.AreOn)
            throw new RpcException(new Status(StatusCode.Unimplemented, "The seams for tests are off."));
    }
}
