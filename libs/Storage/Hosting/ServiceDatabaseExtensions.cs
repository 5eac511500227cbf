using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Storage;

/// <summary>Registers a service's database with its host.</summary>
public static class ServiceDatabaseExtensions
{
    /// <summary>
    /// Adds the database of a service as a keyed singleton, migrates it before anything of the host starts, and adds the
    /// readiness check <c>{service}.storage</c>. Take it as <c>[FromKeyedServices("runs")] Database database</c>: one process may
    /// host several services, each with a database of its own.
    /// </summary>
    /// <param name="service">Name of the service.</param>
    /// <param name="migrations">The assembly that embeds the service's migrations.</param>
    public static IServiceCollection AddServiceDatabase(
        this IServiceCollection services, string service, DatabaseOptions options, Assembly migrations)
    {
        services.AddKeyedSingleton(service, (provider, _) => Database.Create(options, provider.GetService<ILoggerFactory>()));
        services.AddSingleton<IHostedService>(provider => new DatabaseMigration(
            provider.GetRequiredKeyedService<Database>(service),
            migrations,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILogger<DatabaseMigration>>()));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            service + ".storage", provider => new DatabaseCheck(provider.GetRequiredKeyedService<Database>(service)), null, null));
        return services;
    }

    private sealed class DatabaseCheck(Database database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await database.ProbeAsync(cancellationToken).ConfigureAwait(false);
                return HealthCheckResult.Healthy();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, "The database does not answer.", exception);
            }
        }
    }
}

/// <summary>Runs in the starting phase, which all hosted services pass before the first of them starts.</summary>
internal sealed partial class DatabaseMigration(Database database, Assembly migrations, TimeProvider time, ILogger<DatabaseMigration> logger)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var name in await Migrations.ApplyAsync(database, migrations, cancellationToken, time).ConfigureAwait(false))
            Log.Applied(logger, database.Options.Schema, name);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(EventId = 1301, Level = LogLevel.Information, Message = "{Service}: applied migration {Name}.")]
        public static partial void Applied(ILogger logger, string service, string name);
    }
}
