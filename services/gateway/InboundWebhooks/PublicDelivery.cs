using Google.Protobuf;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Routing;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using Client = OpenWop.Micro.Contracts.Webhooks.V1.InboundWebhooks.InboundWebhooksClient;

namespace OpenWop.Micro.Gateway.InboundWebhooks;

/// <summary>
/// What another system sends to a webhook's URL. A bearer proves nothing here, only the signature does, which the service checks; it sees
/// the body as it came.
/// </summary>
internal sealed class PublicDelivery(Client webhooks)
{
    private const int MaxParameters = 100;

    /// <summary>Longer than any sender may wait for a run.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>Credentials stay at the gateway.</summary>
    private static readonly HashSet<string> Withheld = new(StringComparer.OrdinalIgnoreCase) { "Authorization", "Cookie", "Proxy-Authorization" };

    public async Task<Answer> ReceiveAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken)
    {
        var request = new DeliverRequest
        {
            Token = call.ResourceId,
            Path = (string?)context.Request.RouteValues["path"] ?? "",
            Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken)),
        };
        foreach (var (name, values) in context.Request.Headers)
        {
            if (!Withheld.Contains(name))
                request.Headers[name.ToLowerInvariant()] = values.ToString();
        }

        foreach (var (name, values) in context.Request.Query.Take(MaxParameters))
            request.Query[name] = values.ToString();

        var reply = await webhooks.DeliverAsync(request, deadline: DateTime.UtcNow + Patience, cancellationToken: cancellationToken);
        return Answer.Json(reply.Status, reply.Json.Memory);
    }
}
