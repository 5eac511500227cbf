using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>Creates the service for one call with the host's activator, runs the handler, and releases the service.</summary>
internal static class ServiceActivation<TService>
    where TService : class
{
    /// <summary>Runs a handler with one response. A handler that is done at once costs no state machine.</summary>
    public static Task<TResponse> Run<TCall, TResponse>(
        ServerCallContext context, TCall call, Func<TService, TCall, ServerCallContext, Task<TResponse>> handler)
    {
        var (activator, service) = Create(context);
        Task<TResponse> running;
        try
        {
            running = handler(service.Instance, call, context);
        }
        catch (Exception error)
        {
            // Thrown before the first await: it reaches the caller through the task, after the service is released.
            running = Task.FromException<TResponse>(error);
        }

        if (!running.IsCompletedSuccessfully)
            return ThenRelease(running, activator, service);

        var released = activator.ReleaseAsync(service);
        return released.IsCompletedSuccessfully ? running : ThenReturn(released, running);
    }

    /// <summary>Runs a handler that streams its responses.</summary>
    public static async Task RunStreaming<TCall>(ServerCallContext context, TCall call, Func<TService, TCall, ServerCallContext, Task> handler)
    {
        var (activator, service) = Create(context);
        try
        {
            await handler(service.Instance, call, context).ConfigureAwait(false);
        }
        finally
        {
            await activator.ReleaseAsync(service).ConfigureAwait(false);
        }
    }

    private static (IGrpcServiceActivator<TService> Activator, GrpcActivatorHandle<TService> Service) Create(ServerCallContext context)
    {
        var services = InProcessCallContext.From(context).Services;
        var activator = services.GetRequiredService<IGrpcServiceActivator<TService>>();
        return (activator, activator.Create(services));
    }

    private static async Task<TResponse> ThenRelease<TResponse>(
        Task<TResponse> running, IGrpcServiceActivator<TService> activator, GrpcActivatorHandle<TService> service)
    {
        try
        {
            return await running.ConfigureAwait(false);
        }
        finally
        {
            await activator.ReleaseAsync(service).ConfigureAwait(false);
        }
    }

    private static async Task<TResponse> ThenReturn<TResponse>(ValueTask released, Task<TResponse> running)
    {
        await released.ConfigureAwait(false);
        return await running.ConfigureAwait(false);
    }
}
