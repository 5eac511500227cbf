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

    private static Operation Scoped(string id, string method, string route, string scope) => new(id, method, route) { Successes = [], Scopes = [scope] };
}
