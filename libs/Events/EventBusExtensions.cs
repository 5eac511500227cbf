using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Events.Redis;

namespace OpenWop.Micro.Events;

/// <summary>Registers the bus with a host.</summary>
public static class EventBusExtensions
{
    /// <summary>Setting: a StackExchange.Redis connection string. Absent = the bus ends at the process.</summary>
    public const string RedisSetting = "OPENWOP_REDIS";

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Adds <see cref="IEventBus"/>: over Redis when <see cref="RedisSetting"/> names one, else within the process. The readiness
    /// check <c>events.bus</c> is degraded while Redis is away: notifications are late then, nothing is lost. Safe to call by several
    /// services of one process.
    /// </summary>
    public static IServiceCollection AddEventBus(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(IEventBus)))
            return services;

        services.AddSingleton(provider => provider.GetRequiredService<IConfiguration>()[RedisSetting] is { Length: > 0 } redis
            ? (IEventBus)new RedisEventBus(
                redis, Silence, provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILogger<RedisEventBus>>())
            : new InProcessEventBus());
        services.AddHostedService(provider => new EventBusLifetime(provider.GetRequiredService<IEventBus>()));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            "events.bus", provider => new EventBusCheck(provider.GetRequiredService<IEventBus>()), HealthStatus.Degraded, null));
        return services;
    }

    /// <summary>Lets the bus that needs a connection live as long as the host.</summary>
    private sealed class EventBusLifetime(IEventBus bus) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => (bus as IHostedService)?.StartAsync(cancellationToken) ?? Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => (bus as IHostedService)?.StopAsync(cancellationToken) ?? Task.CompletedTask;
    }

    private sealed class EventBusCheck(IEventBus bus) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(bus is RedisEventBus { IsConnected: false }
                ? new HealthCheckResult(context.Registration.FailureStatus, "Redis is away; notifications between processes wait.")
                : HealthCheckResult.Healthy());
    }
}
