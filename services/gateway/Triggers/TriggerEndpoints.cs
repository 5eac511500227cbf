using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Clients;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Triggers;

/// <summary>Triggers on the gateway; rows of the authoring plane's table. What starts runs needs the right to start them.</summary>
internal static class TriggerEndpoints
{
    public const string Service = "webhooks";

    private const string Root = "/api/triggers";

    private static readonly Operation Create = Managed("createTrigger", HttpMethods.Post, Root);
    private static readonly Operation List = Readable("listTriggers", Root);
    private static readonly Operation Get = Readable("getTrigger", Root + "/{id}");
    private static readonly Operation Update = Managed("updateTrigger", HttpMethods.Patch, Root + "/{id}");
    private static readonly Operation Pause = Managed("pauseTrigger", HttpMethods.Post, Root + "/{id}/pause");
    private static readonly Operation Resume = Managed("resumeTrigger", HttpMethods.Post, Root + "/{id}/resume");
    private static readonly Operation Delete = Managed("deleteTrigger", HttpMethods.Delete, Root + "/{id}");
    private static readonly Operation ListFirings = Readable("listFirings", Root + "/{id}/firings");
    private static readonly Operation ReplayFiring = Managed("replayFiring", HttpMethods.Post, Root + "/{id}/firings/{deliveryId}/replay");

    public static void AddTriggers(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.Triggers.TriggersClient>(Service);
        builder.Services.AddSingleton<TriggerCalls>();
    }

    public static void MapTriggers(this WebApplication app)
    {
        var triggers = app.Services.GetRequiredService<TriggerCalls>();
        app.MapControl(Create, triggers.CreateAsync);
        app.MapControl(List, triggers.ListAsync);
        app.MapControl(Get, triggers.GetAsync);
        app.MapControl(Update, triggers.UpdateAsync);
        app.MapControl(Pause, triggers.PauseAsync);
        app.MapControl(Resume, triggers.ResumeAsync);
        app.MapControl(Delete, triggers.DeleteAsync);
        app.MapControl(ListFirings, triggers.ListFiringsAsync);
        app.MapControl(ReplayFiring, triggers.ReplayFiringAsync);
    }

    private static Operation Managed(string id, string method, string route) =>
        new(id, method, route) { Successes = [], Scopes = [ScopeNames.WebhooksManage, ScopeNames.RunsCreate] };

    private static Operation Readable(string id, string route) => new(id, HttpMethods.Get, route) { Successes = [], Scopes = [ScopeNames.ManifestRead] };
}
