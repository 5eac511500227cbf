using System.Globalization;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Audit;

/// <summary><c>GET /v1/audit/verify</c>: whether the audit log of the caller's organization is what it was (spec/http-core.md 5.6).</summary>
internal sealed class AuditOperations(Contracts.Identity.V1.Audit.AuditClient identity)
{
    private const string Service = "identity";

    public async Task<Routing.Answer> VerifyAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new VerifyAuditRequest { From = Read(call, "fromSeq"), To = Read(call, "toSeq") };
        var reply = await identity.VerifyAsync(request, call.Caller.CallOptions(Service, RunOperations.Patience, cancellationToken));
        return Routing.Answer.Json(StatusCodes.Status200OK, reply.Json.Memory) with { CacheControl = "no-store" };
    }

    private static long Read(OperationCall call, string name) =>
        long.TryParse(call.Query(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ProtocolException(ProtocolError.Validation($"{name} must be a whole number from 0.", name));
}
