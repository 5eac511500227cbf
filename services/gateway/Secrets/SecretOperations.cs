using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;

namespace OpenWop.Micro.Gateway.Secrets;

/// <summary>Secrets of the caller's organization: stored, listed, removed, and never shown.</summary>
internal sealed class SecretOperations(Vault.VaultClient vault)
{
    private const string Service = "identity";
    private const int MaxPage = 200;

    /// <summary>The longest value with every character escaped.</summary>
    private static readonly JsonLimits Limits = new(MaxBytes: 512 * 1024, MaxDepth: 8);

    /// <summary><c>PUT /v1/secrets/{secretId}</c>.</summary>
    public async Task<Answer> PutAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = ReadPut(call.ResourceId, await call.ReadBody(cancellationToken));
        var reply = await vault.PutAsync(request, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        return Answer.Json(reply.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK, Write(writer => WriteSecret(writer, reply.Secret)));
    }

    /// <summary><c>GET /v1/secrets</c>.</summary>
    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new ListSecretsRequest { After = call.Query("after") ?? "", Limit = ReadLimit(call.Query("limit")) };
        var reply = await vault.ListAsync(request, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        var page = Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("secrets");
            foreach (var secret in reply.Secrets)
                WriteSecret(writer, secret);
            writer.WriteEndArray();
            if (reply.More)
                writer.WriteString("next", reply.Secrets[^1].SecretId);
            writer.WriteEndObject();
        });
        return Answer.Json(StatusCodes.Status200OK, page) with { CacheControl = "no-store" };
    }

    /// <summary><c>DELETE /v1/secrets/{secretId}</c>.</summary>
    public async Task<Answer> DeleteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await vault.DeleteAsync(
            new DeleteSecretRequest { SecretId = call.ResourceId }, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        return new Answer(StatusCodes.Status204NoContent, default);
    }

    private static PutSecretRequest ReadPut(string secretId, ReadOnlyMemory<byte> body)
    {
        // What is wrong where is not said: the place might be a part of the secret.
        if (!StrictJson.TryParse(body.Span, Limits, out var document, out var problem) || document.ValueKind != JsonValueKind.Object)
        {
            throw problem?.Code == "too_large"
                ? new ProtocolException(new(ErrorCodes.PayloadTooLarge, problem.Message))
                : Invalid("The request body must be a JSON object.", null);
        }

        var request = new PutSecretRequest { SecretId = secretId };
        var hasValue = false;
        foreach (var member in document.EnumerateObject())
        {
            // A name is repeated in the answer only when it is one that the document may have.
            switch (member.Name)
            {
                case "value" when member.Value.ValueKind == JsonValueKind.String:
                    request.Value = UnsafeByteOperations.UnsafeWrap(Encoding.UTF8.GetBytes(member.Value.GetString()!));
                    hasValue = true;
                    break;
                case "description" when member.Value.ValueKind == JsonValueKind.String:
                    request.Description = member.Value.GetString()!;
                    break;
                case "value" or "description":
                    throw Invalid($"{member.Name} must be a string.", member.Name);
                default:
                    throw Invalid("The body has a member that is not known.", null);
            }
        }

        return hasValue ? request : throw Invalid("value is missing.", "value");
    }

    private static int ReadLimit(string? text) => text is null ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxPage ? limit
        : throw Invalid($"limit must be from 1 to {MaxPage}.", "limit");

    private static void WriteSecret(Utf8JsonWriter writer, Secret secret)
    {
        writer.WriteStartObject();
        writer.WriteString("secretId", secret.SecretId);
        if (secret.Description.Length > 0)
            writer.WriteString("description", secret.Description);
        writer.WriteNumber("version", secret.Version);
        writer.WriteString("createdAt", Time(secret.CreatedAt));
        writer.WriteString("updatedAt", Time(secret.UpdatedAt));
        writer.WriteEndObject();
    }

    private static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return buffer.WrittenMemory;
    }

    private static ProtocolException Invalid(string message, string? field) => new(ProtocolError.Validation(message, field));
}
