using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using Client = OpenWop.Micro.Contracts.Webhooks.V1.InboundWebhooks.InboundWebhooksClient;

namespace OpenWop.Micro.Gateway.InboundWebhooks;

/// <summary>URLs of the caller's organization at which other systems start runs. Documents pass through as the service writes them.</summary>
internal sealed class InboundWebhookCalls(Client webhooks)
{
    /// <summary>The answer holds a secret: no record keeps it, a retry asks the service again.</summary>
    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var made = await webhooks.CreateInboundWebhookAsync(
            new CreateInboundWebhookRequest { Body = await BodyAsync(call, cancellationToken), BaseUrl = call.BaseUrl, RequestId = call.RequestId },
            Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, made.Json.Memory) with { CacheControl = "no-store" };
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await webhooks.ListInboundWebhooksAsync(
            new ListInboundWebhooksRequest { After = page.After, Limit = page.Limit, BaseUrl = call.BaseUrl }, Options(call, cancellationToken));
        return ControlJson.Page(reply.Webhooks.Select(document => JsonNode.Parse(document.Span)!), reply.Next.Length > 0 ? reply.Next : null);
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var webhook = await webhooks.GetInboundWebhookAsync(
            new GetInboundWebhookRequest { Id = call.ResourceId, BaseUrl = call.BaseUrl }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, webhook.Json.Memory);
    }

    public async Task<Answer> UpdateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var webhook = await webhooks.UpdateInboundWebhookAsync(
            new UpdateInboundWebhookRequest { Id = call.ResourceId, Body = await BodyAsync(call, cancellationToken), BaseUrl = call.BaseUrl },
            Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, webhook.Json.Memory);
    }

    public async Task<Answer> ListDeliveriesAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await webhooks.ListInboundDeliveriesAsync(
            new ListInboundDeliveriesRequest { Id = call.ResourceId, Before = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(reply.Deliveries.Select(document => JsonNode.Parse(document.Span)!), reply.Next.Length > 0 ? reply.Next : null);
    }

    public async Task<Answer> DeleteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await webhooks.DeleteInboundWebhookAsync(new DeleteInboundWebhookRequest { Id = call.ResourceId }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    /// <summary>As <see cref="CreateAsync"/>.</summary>
    public async Task<Answer> RotateSecretAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var rotated = await webhooks.RotateInboundSecretAsync(
            new RotateInboundSecretRequest { Id = call.ResourceId, Body = await BodyAsync(call, cancellationToken), BaseUrl = call.BaseUrl, RequestId = call.RequestId },
            Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, rotated.Json.Memory) with { CacheControl = "no-store" };
    }

    private static async Task<ByteString> BodyAsync(OperationCall call, CancellationToken cancellationToken) =>
        UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(InboundWebhookEndpoints.Service, RunOperations.Patience, cancellationToken);
}
