using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Clients;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Schedules;

/// <summary>Schedules on the gateway; rows of the authoring plane's table.</summary>
internal static class ScheduleEndpoints
{
    public const string Service = "scheduler";

    private static readonly Operation Create = Scoped("createSchedule", HttpMethods.Post, "/api/schedules", ScopeNames.SchedulesManage);
    private static readonly Operation List = Scoped("listSchedules", HttpMethods.Get, "/api/schedules", ScopeNames.ManifestRead);
    private static readonly Operation Get = Scoped("getSchedule", HttpMethods.Get, "/api/schedules/{id}", ScopeNames.ManifestRead);
    private static readonly Operation Update = Scoped("updateSchedule", HttpMethods.Patch, "/api/schedules/{id}", ScopeNames.SchedulesManage);
    private static readonly Operation Delete = Scoped("deleteSchedule", HttpMethods.Delete, "/api/schedules/{id}", ScopeNames.SchedulesManage);
    private static readonly Operation Preview = Scoped("previewSchedule", HttpMethods.Get, "/api/schedules/{id}/preview", ScopeNames.ManifestRead);
    private static readonly Operation ListFires = Scoped("listScheduleFires", HttpMethods.Get, "/api/schedules/{id}/fires", ScopeNames.ManifestRead);
    private static readonly Operation Tick = Scoped("tick", HttpMethods.Post, "/api/admin/tick", ScopeNames.AdminTick);

    public static void AddSchedules(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Scheduler.V1.Scheduler.SchedulerClient>(Service);
        builder.Services.AddSingleton<ScheduleCalls>();
    }

    public static void MapSchedules(this WebApplication app)
    {
        var schedules = app.Services.GetRequiredService<ScheduleCalls>();
        app.MapControl(Create, schedules.CreateAsync);
        app.MapControl(List, schedules.ListAsync);
        app.MapControl(Get, schedules.GetAsync);
        app.MapControl(Update, schedules.UpdateAsync);
        app.MapControl(Delete, schedules.DeleteAsync);
        app.MapControl(Preview, schedules.PreviewAsync);
        app.MapControl(ListFires, schedules.ListFiresAsync);
        app.MapControl(Tick, schedules.TickAsync);
    }

    private static Operation Scoped(string id, string method, string route, string scope) => new(id, method, route) { Successes = [], Scopes = [scope] };
}
