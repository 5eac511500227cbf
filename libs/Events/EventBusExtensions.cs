using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OpenWop.Micro.Events;

/// <summary>Registers the bus with a host.</summary>
public static class EventBusExtensions
{
    /// <summary>Adds <see cref="IEventBus"/>. Safe to call by several services of one process.</summary>
    public static IServiceCollection AddEventBus(this IServiceCollection services)
    {
        services.TryAddSingleton<IEventBus, InProcessEventBus>();
        return services;
    }
}
