using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.ServiceDefaults.Clients;

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

    public static void MapSchedules(this WebApplication app)
    {
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
