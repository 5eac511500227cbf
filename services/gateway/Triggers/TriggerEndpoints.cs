using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.ServiceDefaults.Clients;

namespace OpenWop.Micro.Gateway.Triggers;

/// <summary>Triggers on the gateway.</summary>
internal static class TriggerEndpoints
{
    public const string Service = "webhooks";

    public static void AddTriggers(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.Triggers.TriggersClient>(Service);
        builder.Services.AddSingleton<TriggerCalls>();
    }

    public static void MapTriggers(this WebApplication app)
    {
        var triggers = app.Services.GetRequiredService<TriggerCalls>();
        app.MapControl(TriggerOperations.Create, triggers.CreateAsync);
        app.MapControl(TriggerOperations.List, triggers.ListAsync);
        app.MapControl(TriggerOperations.Get, triggers.GetAsync);
        app.MapControl(TriggerOperations.Update, triggers.UpdateAsync);
        app.MapControl(TriggerOperations.Pause, triggers.PauseAsync);
        app.MapControl(TriggerOperations.Resume, triggers.ResumeAsync);
        app.MapControl(TriggerOperations.Delete, triggers.DeleteAsync);
        app.MapControl(TriggerOperations.ListFirings, triggers.ListFiringsAsync);
        app.MapControl(TriggerOperations.ReplayFiring, triggers.ReplayFiringAsync);
    }
}
