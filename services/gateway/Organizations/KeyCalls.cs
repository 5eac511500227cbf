using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using IdentityClient = OpenWop.Micro.Contracts.Identity.V1.Identity.IdentityClient;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>API keys of the caller's organization. A key is shown once, in the answer that makes it; identity learns its hash.</summary>
internal sealed class KeyCalls(IdentityClient identity)
{
    private const int MaxName = 200;
    private const int MaxScopes = 64;
    private const int MaxId = 128;
    private const int MaxGraceSeconds = 2_592_000;

    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var name = body.Text("name", MaxName);
        var scopes = body.Texts("scopes", MaxScopes, isRequired: true);
        var expiresAt = body.Time("expiresAt");

        // What a test key makes is for tests, unless it asks for more than it can have.
        var isTest = (body.Choice("mode", "live", "test") ?? IdentityJson.Mode(call.Caller.IsTest)) == "test";
        body.ThrowIfInvalid();

        var key = ApiKeyText.Create(isTest);
        var made = await identity.CreateKeyAsync(
            new CreateKeyRequest
            {
                KeyHash = AdmissionCalls.HashOf(key),
                IsTest = isTest,
                Name = name,
                Scopes = { scopes },
                ExpiresAt = expiresAt?.ToUnixTimeMilliseconds() ?? 0,
            },
            Options(call, cancellationToken));
        return ControlJson.Created(IdentityJson.Key(made).With("key", key)) with { CacheControl = "no-store" };
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await identity.ListKeysAsync(new ListKeysRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(reply.Keys.Select(IdentityJson.Key), reply.Keys.Count < page.Limit ? null : reply.Keys[^1].KeyId);
    }

    public async Task<Answer> RevokeAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await identity.RevokeKeyAsync(new RevokeKeyRequest { KeyId = Id(call) }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    public async Task<Answer> RotateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken, isOptional: true);
        var grace = body.Integer("graceSeconds", min: 0, MaxGraceSeconds);
        body.ThrowIfInvalid();

        // The caller sees keys of its own mode only, so the new key is of that mode too.
        var key = ApiKeyText.Create(call.Caller.IsTest);
        var request = new RotateKeyRequest { KeyId = Id(call), NewKeyHash = AdmissionCalls.HashOf(key) };
        if (grace is { } seconds)
            request.GraceSeconds = seconds;

        var rotated = await identity.RotateKeyAsync(request, Options(call, cancellationToken));
        return ControlJson.Created(IdentityJson.Key(rotated.Key).With("key", key).With("replaced", IdentityJson.Key(rotated.Replaced))) with { CacheControl = "no-store" };
    }

    private static string Id(OperationCall call) => call.ResourceId switch
    {
        "current" => call.Caller.KeyId,
        { Length: > 0 and <= MaxId } id when !id.Contains('\0', StringComparison.Ordinal) => id,
        _ => throw new ProtocolException(ProtocolError.NotFound("key")),
    };

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(OrganizationEndpoints.Service, RunOperations.Patience, cancellationToken);
}
