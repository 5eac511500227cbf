using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Calls go round the connected instances in turn, past those whose circuit breaker is open. When all are open a call fails at once: it
/// reached nobody, and the retry policy makes another attempt.
/// </summary>
internal sealed class BreakingBalancer(IChannelControlHelper controller, CircuitBreakers breakers, ILoggerFactory loggers)
    : SubchannelsLoadBalancer(controller, loggers)
{
    public const string PolicyName = "breaking_round_robin";

    protected override SubchannelPicker CreatePicker(IReadOnlyList<Subchannel> readySubchannels) => new Picker(readySubchannels, breakers);

    private sealed class Picker(IReadOnlyList<Subchannel> connected, CircuitBreakers breakers) : SubchannelPicker
    {
        private static readonly PickResult Nobody = PickResult.ForFailure(new Status(
            StatusCode.Unavailable, "No instance answers calls.", new HttpRequestException(HttpRequestError.ConnectionError, "All circuit breakers are open.")));

        private int _last = Random.Shared.Next();

        public override PickResult Pick(PickContext context)
        {
            var first = (uint)Interlocked.Increment(ref _last);
            for (var i = 0u; i < connected.Count; i++)
            {
                var subchannel = connected[(int)((first + i) % (uint)connected.Count)];
                if (subchannel.CurrentAddress is not { EndPoint: var endPoint } || breakers.Of(CircuitBreakers.AuthorityOf(endPoint.Host, endPoint.Port)).TryEnter())
                    return PickResult.ForSubchannel(subchannel);
            }

            return Nobody;
        }
    }
}

/// <summary>Makes the balancer of a channel.</summary>
internal sealed class BreakingBalancerFactory(CircuitBreakers breakers) : LoadBalancerFactory
{
    public override string Name => BreakingBalancer.PolicyName;

    public override LoadBalancer Create(LoadBalancerOptions options) => new BreakingBalancer(options.Controller, breakers, options.LoggerFactory);
}
