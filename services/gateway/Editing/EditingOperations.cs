using OpenWop.Micro.Gateway.Routing;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>The operations of editing: workflows as blocks, and what they are made of; rows of the authoring plane's table.</summary>
internal static class EditingOperations
{
    public static readonly Operation CreateWorkflow = Scoped("createWorkflow", HttpMethods.Post, "/api/workflows", ScopeNames.WorkflowsWrite);
    public static readonly Operation ListWorkflows = Scoped("listWorkflows", HttpMethods.Get, "/api/workflows", ScopeNames.ManifestRead);
    public static readonly Operation GetBlocks = Scoped("getBlocks", HttpMethods.Get, "/api/workflows/{id}", ScopeNames.ManifestRead);
    public static readonly Operation DeleteWorkflow = Scoped("deleteWorkflow", HttpMethods.Delete, "/api/workflows/{id}", ScopeNames.WorkflowsWrite);
    public static readonly Operation ApplyOperations = Scoped("applyOperations", HttpMethods.Post, "/api/workflows/{id}/operations", ScopeNames.WorkflowsWrite);
    public static readonly Operation ListVersions = Scoped("listVersions", HttpMethods.Get, "/api/workflows/{id}/versions", ScopeNames.ManifestRead);
    public static readonly Operation GetVersion = Scoped("getVersion", HttpMethods.Get, "/api/workflows/{id}/versions/{version}", ScopeNames.ManifestRead);
    public static readonly Operation RollBack = Scoped("rollBack", HttpMethods.Post, "/api/workflows/{id}/rollback", ScopeNames.WorkflowsWrite);
    public static readonly Operation ListConnectors = Scoped("listConnectors", HttpMethods.Get, "/api/connectors", ScopeNames.ManifestRead);
    public static readonly Operation GetConnector = Scoped("getConnector", HttpMethods.Get, "/api/connectors/{id}", ScopeNames.ManifestRead);
    public static readonly Operation ListTools = Scoped("listTools", HttpMethods.Get, "/api/tools", ScopeNames.ManifestRead);

    public static readonly Operation StartRun = Scoped("startRun", HttpMethods.Post, "/api/workflows/{id}/run", ScopeNames.RunsCreate);
    public static readonly Operation ListRuns = Scoped("listRuns", HttpMethods.Get, "/api/runs", ScopeNames.RunsRead);
    public static readonly Operation DescribeRun = Scoped("describeRun", HttpMethods.Get, "/api/runs/{id}", ScopeNames.RunsRead);
    public static readonly Operation ListAttempts = Scoped("listAttempts", HttpMethods.Get, "/api/runs/{id}/logs", ScopeNames.RunsRead);
    public static readonly Operation CancelByAuthor = Scoped("cancelByAuthor", HttpMethods.Post, "/api/runs/{id}/cancel", ScopeNames.RunsCancel);
    public static readonly Operation ResumeBlock = Scoped("resumeBlock", HttpMethods.Post, "/api/runs/{id}/resume", ScopeNames.ApprovalsRespond);

    private static Operation Scoped(string id, string method, string route, string scope) => new(id, method, route) { Successes = [], Scopes = [scope] };
}
