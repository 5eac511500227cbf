using OpenWop.Micro.Gateway.RateLimits;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>
/// How often somebody without a key may try to come in: enough for people, too little to try tokens out. Behind a proxy all strangers share its address, and the limit.
/// </summary>
internal sealed class StrangerLimit(RateLimitOptions options, TimeProvider time)
{
    private const int PerMinute = 30;

    private readonly RateLimiter _limiter = new(new RateLimitOptions(options.PerKey is null ? null : PerMinute), time);

    /// <exception cref="ProtocolException">429: too many attempts from the address.</exception>
    public void Admit(HttpContext context)
    {
        try
        {
            _limiter.Admit(context.Connection.RemoteIpAddress?.ToString() ?? "", tenant: "", operation: "");
        }
        catch (ProtocolException refused)
        {
            var details = refused.Error.Details?.DeepClone().AsObject() ?? [];
            details["scope"] = "address";
            throw new ProtocolException(refused.Error with { Message = "There were too many attempts from this address.", Details = details });
        }
    }
}
