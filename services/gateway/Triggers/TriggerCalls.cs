using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using Client = OpenWop.Micro.Contracts.Webhooks.V1.Triggers.TriggersClient;

namespace OpenWop.Micro.Gateway.Triggers;

/// <summary>Triggers of the caller's organization. Documents pass through as the service writes them.</summary>
internal sealed class TriggerCalls(Client triggers)
{
    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var made = await triggers.CreateTriggerAsync(
            new CreateTriggerRequest { Body = await BodyAsync(call, cancellationToken), RequestId = call.RequestId }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, made.Json.Memory);
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await triggers.ListTriggersAsync(new ListTriggersRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return Page(reply.Triggers, reply.Next);
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken) =>
        Ok((await triggers.GetTriggerAsync(new GetTriggerRequest { Id = call.ResourceId }, Options(call, cancellationToken))).Json);

    public async Task<Answer> UpdateAsync(OperationCall call, CancellationToken cancellationToken) => Ok((await triggers.UpdateTriggerAsync(
        new UpdateTriggerRequest { Id = call.ResourceId, Body = await BodyAsync(call, cancellationToken) }, Options(call, cancellationToken))).Json);

    public Task<Answer> PauseAsync(OperationCall call, CancellationToken cancellationToken) => SetPausedAsync(call, isPaused: true, cancellationToken);

    public Task<Answer> ResumeAsync(OperationCall call, CancellationToken cancellationToken) => SetPausedAsync(call, isPaused: false, cancellationToken);

    public async Task<Answer> DeleteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await triggers.DeleteTriggerAsync(new DeleteTriggerRequest { Id = call.ResourceId }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    public async Task<Answer> ListFiringsAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await triggers.ListFiringsAsync(
            new ListFiringsRequest { Id = call.ResourceId, Before = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return Page(reply.Firings, reply.Next);
    }

    public async Task<Answer> ReplayFiringAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var firing = await triggers.ReplayFiringAsync(new ReplayFiringRequest { Id = call.ResourceId, FiringId = call.NodeId }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status202Accepted, firing.Json.Memory);
    }

    private async Task<Answer> SetPausedAsync(OperationCall call, bool isPaused, CancellationToken cancellationToken) => Ok(
        (await triggers.SetTriggerPausedAsync(new SetTriggerPausedRequest { Id = call.ResourceId, Paused = isPaused }, Options(call, cancellationToken))).Json);

    private static Answer Ok(ByteString document) => Answer.Json(StatusCodes.Status200OK, document.Memory);

    private static Answer Page(IEnumerable<ByteString> documents, string next) =>
        ControlJson.Page(documents.Select(document => JsonNode.Parse(document.Span)!), next.Length > 0 ? next : null);

    private static async Task<ByteString> BodyAsync(OperationCall call, CancellationToken cancellationToken) =>
        UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(TriggerEndpoints.Service, RunOperations.Patience, cancellationToken);
}
