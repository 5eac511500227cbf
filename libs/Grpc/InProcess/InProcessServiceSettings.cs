using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenWop.Micro.Grpc.Server;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>What the methods of one service share. Merged from the options for all services and those for this one, as on the network.</summary>
internal sealed record InProcessServiceSettings(
    IServiceScopeFactory Scopes,
    ILogger Logger,
    IReadOnlyList<InterceptorRegistration> Interceptors,
    int? MaxReceiveMessageSize,
    int? MaxSendMessageSize,
    bool DetailedErrors)
{
    public static InProcessServiceSettings Create<TService>(IServiceProvider services, ILogger logger)
        where TService : class
    {
        var forAll = services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
        var forService = services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value;

        return new InProcessServiceSettings(
            services.GetRequiredService<IServiceScopeFactory>(),
            logger,
            // The channel sets the ambient call itself, the interceptor that does it for network calls would do it twice.
            [.. forAll.Interceptors.Concat(forService.Interceptors).Where(interceptor => interceptor.Type != typeof(AmbientCallInterceptor))],
            (forService.MaxReceiveMessageSizeSpecified ? forService : forAll).MaxReceiveMessageSize,
            (forService.MaxSendMessageSizeSpecified ? forService : forAll).MaxSendMessageSize,
            forService.EnableDetailedErrors ?? forAll.EnableDetailedErrors ?? false);
    }
}
