using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Webhooks.Inbound.Signatures;
using OpenWop.Micro.Webhooks.Inbound.Store;
using OpenWop.Micro.Webhooks.Telemetry;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>
/// Takes what was sent to a webhook's URL and makes a run of it.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>Whose URL is it? Token and path must both be right: 404.</item>
/// <item>Size: 413.</item>
/// <item>Signature, with any secret that is good now, and its time: 401. Nothing that was sent is read before.</item>
/// <item>A delivery that was accepted before answers with the run that it has made.</item>
/// <item>The webhook's rate: 429.</item>
/// <item>The body: 400.</item>
/// <item>The run. The engine makes one of one request id, which is made of the webhook and the delivery id: of two attempts at once both
/// get the same run, and one that got no answer finds it when it comes again.</item>
/// <item>The delivery id is spent, now that there is a run.</item>
/// <item>A sender that waits is told how the run has ended.</item>
/// </list>
/// A process that dies before step 7 has done nothing; after it, the next attempt finds the run.
/// </remarks>
internal sealed class InboundReceiver(
    InboundStore store,
    InboundSecrets secrets,
    DeliveryLimits limits,
    Runs.RunsClient runs,
    TargetWorkflows workflows,
    RunOutcomes outcomes,
    WebhookMetrics metrics,
    TimeProvider time)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <exception cref="ProtocolException">The delivery is refused.</exception>
    public async Task<DeliverReply> ReceiveAsync(DeliverRequest request, CancellationToken cancellationToken)
    {
        // 1.
        var webhook = await store.FindByTokenAsync(request.Token, cancellationToken);
        if (webhook is null || webhook.Spec.Path != request.Path)
            throw new ProtocolException(InboundErrors.NotFound);

        // 2.
        var spec = webhook.Spec;
        if (request.Body.Length > spec.MaxBytes)
            throw new ProtocolException(InboundErrors.TooLarge(spec.MaxBytes));

        // 3.
        var now = time.GetUtcNow();
        var headers = request.Headers.ToDictionary(header => header.Key, header => header.Value, StringComparer.Ordinal);
        if (!SignatureCheck.IsGood(spec.Scheme, headers, request.Body.Span, secrets.GoodAt(webhook, now), now))
            throw new ProtocolException(InboundErrors.NotSigned);

        // 4. A body that cannot be read has no id in it, and none that was accepted.
        var isReadable = InboundBody.TryRead(request.Body.Memory, headers.GetValueOrDefault("content-type"), spec.MaxBytes, out var body, out var problem);
        var key = DeliveryIds.KeyOf(spec.Scheme, headers, body);
        if (key is not null && await store.FindRunAsync(webhook.Id, key, cancellationToken) is { } before)
        {
            metrics.Received(isRepeat: true);
            return await AnswerAsync(webhook, before, isRepeat: true, cancellationToken);
        }

        // 5.
        if (!limits.TryTake(webhook.Id, spec.RatePerMinute, out var wait))
            throw new ProtocolException(InboundErrors.TooMany(wait));

        // 6.
        if (!isReadable)
            throw new ProtocolException(problem!);

        if (spec.Scheme == SignatureScheme.Slack && ChallengeOf(body) is { } challenge)
            return Reply(StatusCodes.Status200OK, writer => writer.WriteString("challenge"u8, challenge));

        // 7. Without an id no two deliveries are the same; the call to the engine still is one, however often it is sent.
        var deliveryId = key ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var created = await CreateRunAsync(webhook, deliveryId, new ReceivedDelivery(headers, request.Query, body, now));

        // 8.
        await store.AcceptAsync(webhook.Id, new AcceptedDelivery(deliveryId, created.RunId, now), CancellationToken.None);

        // 9.
        metrics.Received(created.Replayed);
        return await AnswerAsync(webhook, created.RunId, created.Replayed, cancellationToken);
    }

    private async Task<CreateRunReply> CreateRunAsync(InboundWebhook webhook, string deliveryId, ReceivedDelivery delivery)
    {
        try
        {
            // Not given up when the sender goes away: what it would not hear of is under way.
            return await runs.CreateRunAsync(
                new CreateRunRequest
                {
                    Body = BodyOf(webhook, deliveryId, delivery),
                    RequestId = $"inbound-{webhook.Id}-{deliveryId}",
                    ActingFor = RunOutcomes.ActingFor(webhook),
                    Cause = new RunCause { CausationId = deliveryId },
                },
                deadline: time.GetUtcNow().UtcDateTime + CallTimeout);
        }
        catch (RpcException exception) when (exception.ToProtocolError() is { Code.HttpStatus: < 500 } && exception.StatusCode != StatusCode.ResourceExhausted)
        {
            if (!await workflows.ExistsAsync(webhook.Owner.Tenant, webhook.Owner.IsTest, webhook.Spec.WorkflowId, CancellationToken.None))
                throw new ProtocolException(InboundErrors.WorkflowGone);

            throw;
        }
    }

    private async Task<DeliverReply> AnswerAsync(InboundWebhook webhook, string runId, bool isRepeat, CancellationToken cancellationToken)
    {
        if (!webhook.Spec.IsSync)
            return Reply(isRepeat ? StatusCodes.Status200OK : StatusCodes.Status202Accepted, writer => writer.WriteString("runId"u8, runId));

        return await outcomes.WaitAsync(webhook, runId, cancellationToken) is { } outcome
            ? Reply(StatusCodes.Status200OK, outcome.WriteTo)
            : Reply(StatusCodes.Status202Accepted, writer => writer.WriteString("runId"u8, runId));
    }

    /// <summary>Slack asks once whether a URL is really its owner's.</summary>
    private static string? ChallengeOf(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
        && body.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("url_verification"u8)
        && body.TryGetProperty("challenge", out var challenge) && challenge.ValueKind == JsonValueKind.String
            ? challenge.GetString()
            : null;

    /// <summary>What <c>POST /v1/runs</c> would be sent.</summary>
    private static ByteString BodyOf(InboundWebhook webhook, string deliveryId, ReceivedDelivery delivery)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("workflowId"u8, webhook.Spec.WorkflowId);
            writer.WritePropertyName("inputs"u8);
            InputMapping.Write(writer, webhook.Spec.Inputs, delivery);
            writer.WriteStartObject("metadata"u8);
            writer.WriteStartObject("trigger"u8);
            writer.WriteString("source"u8, "webhook"u8);
            writer.WriteString("subscriptionId"u8, webhook.Id);
            writer.WriteString("deliveryId"u8, deliveryId);
            writer.WriteString("receivedAt"u8, delivery.ReceivedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory);
    }

    private static DeliverReply Reply(int status, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return new DeliverReply { Status = status, Json = UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory) };
    }
}
