using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OpenWop.Micro.ServiceDefaults.Hosting;

/// <summary>
/// A host that is disposed without having been stopped stops first, so that work in the background hears of an end instead of failing at
/// what is gone already, and nothing of it is reported as an error.
/// </summary>
internal sealed class OrderlyDisposal(IServiceProvider services) : IHostedLifecycleService
{
    /// <summary>Services are disposed in the reverse order of their making: what is made last, when all have started, goes first.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        services.GetRequiredService<Ending>();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal sealed class Ending(IHostApplicationLifetime lifetime) : IDisposable
    {
        public void Dispose() => lifetime.StopApplication();
    }
}
