using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>Registering webhooks (spec/webhooks-packs.md 1.2).</summary>
internal sealed class WebhookOperations(Contracts.Webhooks.V1.Webhooks.WebhooksClient webhooks)
{
    /// <summary>Name of the service behind these operations.</summary>
    public const string Service = "webhooks";

    /// <summary>The only signature there is.</summary>
    public const string SignatureAlgorithm = "v1";

    private const int MaxIdLength = 128;

    /// <summary><c>POST /v1/webhooks</c>. The answer holds a secret: no record keeps it, a retry asks the service again.</summary>
    public async Task<Answer> RegisterAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new RegisterWebhookRequest { RequestId = call.RequestId };
        request.Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken));
        var reply = await webhooks.RegisterWebhookAsync(request, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, Body(reply)) with { IsPassing = true, IsReplay = reply.Replayed, CacheControl = "no-store" };
    }

    /// <summary><c>DELETE /v1/webhooks/{webhookId}</c>.</summary>
    public async Task<Answer> UnregisterAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await webhooks.UnregisterWebhookAsync(
            new UnregisterWebhookRequest { WebhookId = RequireId(call.ResourceId) }, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        return new Answer(StatusCodes.Status204NoContent, default);
    }

    /// <summary>An id that can belong to a webhook at all.</summary>
    /// <exception cref="ProtocolException">404, as for a webhook that does not exist.</exception>
    public static string RequireId(string id) =>
        id.Length is > 0 and <= MaxIdLength && !id.Contains('\0', StringComparison.Ordinal) ? id : throw new ProtocolException(ProtocolError.NotFound("webhook"));

    private static ReadOnlyMemory<byte> Body(RegisterWebhookReply reply)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("webhookId"u8, reply.WebhookId);
            writer.WriteString("secret"u8, reply.Secret);
            writer.WriteString("secretFingerprint"u8, reply.SecretFingerprint);
            writer.WriteString("signatureAlgorithm"u8, SignatureAlgorithm);
            writer.WriteEndObject();
        }

        return body.WrittenMemory;
    }
}
