using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Forwarding;

/// <summary>What an instance needs to know about the others.</summary>
internal static class ForwardingHosting
{
    public static IServiceCollection AddForwarding(this IServiceCollection services, string service, DatabaseOptions database, LeaseSettings leases)
    {
        services.AddSingleton(leases);
        services.AddSingleton<InstanceAddress>();
        services.AddSingleton(provider => new ShardDirectory(
            provider.GetRequiredKeyedService<Database>(service), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<CommandRouter>();
        if (database.Dialect == SqlDialect.PostgreSql)
            services.UseClockOfDatabase();

        return services;
    }

    /// <summary>Puts <see cref="ClusterClock"/> in the place of the clock that is registered.</summary>
    private static void UseClockOfDatabase(this IServiceCollection services)
    {
        var machine = services.Last(service => service.ServiceType == typeof(TimeProvider)).ImplementationInstance as TimeProvider ?? TimeProvider.System;
        services.AddSingleton<TimeProvider>(new ClusterClock(machine));
    }
}
