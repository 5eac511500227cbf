using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway.Schedules;

/// <summary>Schedules on the gateway.</summary>
internal static class ScheduleEndpoints
{
    public const string Service = "scheduler";

    public static void AddSchedules(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Scheduler.V1.Scheduler.SchedulerClient>(Service);
        builder.Services.AddSingleton<ScheduleCalls>();
    }

    /// <summary>Serves them where the installation has the service: what nobody could answer is no route.</summary>
    public static void MapSchedules(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<ServiceTopology>().Has(Service))
            return;

        var schedules = app.Services.GetRequiredService<ScheduleCalls>();
        app.MapControl(ScheduleOperations.Create, schedules.CreateAsync);
        app.MapControl(ScheduleOperations.List, schedules.ListAsync);
        app.MapControl(ScheduleOperations.Get, schedules.GetAsync);
        app.MapControl(ScheduleOperations.Update, schedules.UpdateAsync);
        app.MapControl(ScheduleOperations.Delete, schedules.DeleteAsync);
        app.MapControl(ScheduleOperations.Preview, schedules.PreviewAsync);
        app.MapControl(ScheduleOperations.ListFires, schedules.ListFiresAsync);
        app.MapControl(ScheduleOperations.Tick, schedules.TickAsync);
    }
}
