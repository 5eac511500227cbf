using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.ServiceDefaults.Clients;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>Editing on the gateway.</summary>
internal static class EditingEndpoints
{
    public static void AddEditing(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Workflows.V1.Editing.EditingClient>(WorkflowOperations.Service);
        builder.Services.AddSingleton<WorkflowCalls>();
        builder.Services.AddSingleton<CatalogueCalls>();
        builder.Services.AddSingleton<RunCalls>();
    }

    public static void MapEditing(this WebApplication app)
    {
        var workflows = app.Services.GetRequiredService<WorkflowCalls>();
        app.MapControl(EditingOperations.CreateWorkflow, workflows.CreateAsync);
        app.MapControl(EditingOperations.ListWorkflows, workflows.ListAsync);
        app.MapControl(EditingOperations.GetBlocks, workflows.GetAsync);
        app.MapControl(EditingOperations.DeleteWorkflow, workflows.DeleteAsync);
        app.MapControl(EditingOperations.ApplyOperations, workflows.ApplyAsync);
        app.MapControl(EditingOperations.ListVersions, workflows.ListVersionsAsync);
        app.MapControl(EditingOperations.GetVersion, workflows.GetVersionAsync);
        app.MapControl(EditingOperations.RollBack, workflows.RollBackAsync);
        app.MapControl(EditingOperations.ExportWorkflow, workflows.ExportAsync);
        app.MapControl(EditingOperations.ImportWorkflow, workflows.ImportAsync);

        var catalogue = app.Services.GetRequiredService<CatalogueCalls>();
        app.MapControl(EditingOperations.ListConnectors, catalogue.ListAsync);
        app.MapControl(EditingOperations.GetConnector, catalogue.GetAsync);
        app.MapControl(EditingOperations.ListTools, catalogue.ToolsAsync);

        var runs = app.Services.GetRequiredService<RunCalls>();
        app.MapControl(EditingOperations.StartRun, runs.StartAsync);
        app.MapControl(EditingOperations.ListRuns, runs.ListAsync);
        app.MapControl(EditingOperations.DescribeRun, runs.GetAsync);
        app.MapControl(EditingOperations.ListAttempts, runs.LogsAsync);
        app.MapControl(EditingOperations.CancelByAuthor, runs.CancelAsync);
        app.MapControl(EditingOperations.ResumeBlock, runs.ResumeAsync);
    }
}
