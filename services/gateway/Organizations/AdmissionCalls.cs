using System.Text.Json.Nodes;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using OrganizationsClient = OpenWop.Micro.Contracts.Identity.V1.Organizations.OrganizationsClient;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>
/// How people come in: with the bootstrap token, by signing up, with an invitation. The answer is the only place where the new key
/// is ever shown; what goes to identity is its hash.
/// </summary>
internal sealed class AdmissionCalls(OrganizationsClient organizations, StrangerLimit limit)
{
    private const int MaxToken = 512;
    private const int MaxName = 100;

    public Task<Answer> BootstrapAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken) =>
        FoundAsync(context, call, hasToken: true, request => organizations.BootstrapAsync(request, deadline: Deadline, cancellationToken: cancellationToken).ResponseAsync, cancellationToken);

    public Task<Answer> SignUpAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken) =>
        FoundAsync(context, call, hasToken: false, request => organizations.SignUpAsync(request, deadline: Deadline, cancellationToken: cancellationToken).ResponseAsync, cancellationToken);

    public async Task<Answer> AcceptAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken)
    {
        limit.Admit(context);
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var token = body.Text("token", MaxToken, isRequired: true);
        var name = body.Text("name", MaxName);
        body.ThrowIfInvalid();

        // The invitation knows the mode; which of the two keys counts, the answer tells.
        var (key, testKey) = (ApiKeyText.Create(isTest: false), ApiKeyText.Create(isTest: true));
        var admission = await organizations.AcceptInvitationAsync(
            new AcceptInvitationRequest { TokenHash = HashOf(token), Name = name, KeyHash = HashOf(key), TestKeyHash = HashOf(testKey) },
            deadline: Deadline, cancellationToken: cancellationToken);
        return Admitted(admission, admission.Key.IsTest ? testKey : key);
    }

    public static ByteString HashOf(string secret) => UnsafeByteOperations.UnsafeWrap(ApiKeyText.Hash(secret));

    private async Task<Answer> FoundAsync(
        HttpContext context, OperationCall call, bool hasToken, Func<FoundRequest, Task<Admission>> found, CancellationToken cancellationToken)
    {
        limit.Admit(context);
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var token = hasToken ? body.Text("token", MaxToken) : "";
        var name = body.Text("name", MaxName);
        var organization = body.Text("organization", MaxName);
        var isTest = body.Choice("mode", "live", "test") == "test";
        body.ThrowIfInvalid();
        if (hasToken && token.Length == 0)
            throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The call needs the bootstrap token."));

        var key = ApiKeyText.Create(isTest);
        var request = new FoundRequest { Name = name.Length == 0 ? "owner" : name, Organization = organization, KeyHash = HashOf(key), IsTest = isTest };
        if (hasToken)
            request.TokenHash = HashOf(token);

        return Admitted(await found(request), key);
    }

    private static Answer Admitted(Admission admission, string key) => ControlJson.Created(new JsonObject
    {
        ["organization"] = IdentityJson.Organization(admission.Organization),
        ["member"] = IdentityJson.Member(admission.Member),
        ["keyId"] = admission.Key.KeyId,
        ["key"] = key,
    }) with
    { CacheControl = "no-store" };

    private static DateTime Deadline => DateTime.UtcNow + RunOperations.Patience;
}
