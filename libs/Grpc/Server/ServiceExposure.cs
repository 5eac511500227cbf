using Grpc.AspNetCore.HealthChecks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OpenWop.Micro.Grpc.InProcess;

namespace OpenWop.Micro.Grpc.Server;

internal sealed class ServiceExposureOptions
{
    public Func<string, GrpcExposure> Exposure { get; set; } = static _ => GrpcExposure.Both;
}

/// <summary>Carries out the host's decision from where a service can be called.</summary>
internal sealed class ServiceExposure(
    InProcessServer inProcess, IOptions<ServiceExposureOptions> options, IOptions<GrpcHealthChecksOptions> health)
{
    public IEndpointConventionBuilder Map<TService>(IEndpointRouteBuilder endpoints)
        where TService : class
    {
        var name = GeneratedService.Of(typeof(TService)).Name;
        var exposure = options.Value.Exposure(name);
        if (exposure.HasFlag(GrpcExposure.InProcess))
            inProcess.MapService<TService>();

        if (!exposure.HasFlag(GrpcExposure.Network))
            return NoEndpoints.Instance;

        health.Value.Services.Map(name, check => !check.Tags.Any() || check.Tags.Contains(name));
        return endpoints.MapGrpcService<TService>();
    }

    private sealed class NoEndpoints : IEndpointConventionBuilder
    {
        public static readonly NoEndpoints Instance = new();

        public void Add(Action<EndpointBuilder> convention)
        {
        }
    }
}
