using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>The operations of editing: workflows as blocks, and what they are made of; rows of the authoring plane's table.</summary>
internal static class EditingOperations
{
    public static readonly Operation CreateWorkflow = new("createWorkflow", HttpMethods.Post, "/api/workflows")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Makes a workflow without blocks.",
        Body = "CreateWorkflowRequest",
        Successes = [new(201, "The workflow was made.", "Workflow")],
    };

    public static readonly Operation ListWorkflows = new("listWorkflows", HttpMethods.Get, "/api/workflows")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The workflows of the organization.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "WorkflowPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation GetBlocks = new("getBlocks", HttpMethods.Get, "/api/workflows/{id}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A workflow as blocks and connections.",
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "The workflow.", "Workflow"), new(304, "It has not changed.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation DeleteWorkflow = new("deleteWorkflow", HttpMethods.Delete, "/api/workflows/{id}")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Removes a workflow. Versions that runs are pinned to stay.",
        Parameters = ["IfVersion"],
        Successes = [new(204, "The workflow is gone.")],
        Errors = [ControlErrors.InvalidIfMatch, ErrorCodes.NotFound, ControlErrors.VersionMismatch, ErrorCodes.PreconditionRequired],
    };

    public static readonly Operation ApplyOperations = new("applyOperations", HttpMethods.Post, "/api/workflows/{id}/operations")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Applies a list of operations. What cannot be applied is skipped and explained, the rest applies. What an operation may be says /api/tools.",
        Parameters = ["DryRun", "IfVersion"],
        Body = "ApplyOperationsRequest",
        Successes = [new(200, "What became of them.", "EditedWorkflow")],
        Errors = [ControlErrors.InvalidIfMatch, ErrorCodes.NotFound, ControlErrors.VersionMismatch, ErrorCodes.PreconditionRequired],
    };

    public static readonly Operation ListVersions = new("listVersions", HttpMethods.Get, "/api/workflows/{id}/versions")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The versions of a workflow.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "VersionPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation GetVersion = new("getVersion", HttpMethods.Get, "/api/workflows/{id}/versions/{version}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A version of a workflow as blocks and connections.",
        Successes = [new(200, "The version.", "WorkflowAtVersion")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation RollBack = new("rollBack", HttpMethods.Post, "/api/workflows/{id}/rollback")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Makes an earlier version the newest one.",
        Parameters = ["IfVersion"],
        Body = "RollBackRequest",
        Successes = [new(200, "The version that this has made.", "WorkflowAtVersion")],
        Errors = [ControlErrors.InvalidIfMatch, ErrorCodes.NotFound, ControlErrors.VersionMismatch, ErrorCodes.PreconditionRequired],
    };

    public static readonly Operation ExportWorkflow = new("exportWorkflow", HttpMethods.Get, "/api/workflows/{id}/export")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A workflow as a file without secrets, to be imported here or elsewhere.",
        Parameters = ["ExportedVersion"],
        Successes = [new(200, "The file.", "WorkflowFile")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ImportWorkflow = new("importWorkflow", HttpMethods.Post, "/api/workflows/import")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Makes a workflow out of a file, or, with If-Match, the next version of the workflow in `id`.",
        Parameters = ["ImportedId", "IfVersionOfImport"],
        Body = "WorkflowFile",
        Successes = [new(201, "The workflow was made.", "ImportedWorkflow"), new(200, "The workflow has a new version.", "ImportedWorkflow")],
        Errors = [ControlErrors.InvalidIfMatch, ErrorCodes.NotFound, ErrorCodes.WorkflowExists, ControlErrors.VersionMismatch],
    };

    public static readonly Operation ListConnectors = new("listConnectors", HttpMethods.Get, "/api/connectors")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The types of blocks.",
        Parameters = ["Detail", "IfNoneMatch"],
        Successes = [new(200, "All of them.", "ConnectorPage"), new(304, "They have not changed.")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation GetConnector = new("getConnector", HttpMethods.Get, "/api/connectors/{id}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "A type of blocks, with its parameters and outputs.",
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "The type.", "Connector"), new(304, "It has not changed.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ListTools = new("listTools", HttpMethods.Get, "/api/tools")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The operations as JSON Schema, and as a tool for language models.",
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "The operations.", "ToolList"), new(304, "They have not changed.")],
    };

    public static readonly Operation StartRun = new("startRun", HttpMethods.Post, "/api/workflows/{id}/run")
    {
        Scopes = [ScopeNames.RunsCreate],
        Summary = "Runs a workflow.",
        Body = "StartRunRequest",
        BodyRequired = false,
        Successes = [new(202, "The run.", "StartedRun")],
        Errors = [ErrorCodes.NotFound, ControlErrors.WorkflowInvalid],
    };

    public static readonly Operation ListRuns = new("listRuns", HttpMethods.Get, "/api/runs")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "The runs of the organization, newest first.",
        Parameters = ["State", "WorkflowIdFilter", "Tag", "Limit", "After"],
        Successes = [new(200, "A page of them.", "RunPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation DescribeRun = new("describeRun", HttpMethods.Get, "/api/runs/{id}")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "A run, and what its blocks have come to.",
        Successes = [new(200, "The run.", "Run")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ListAttempts = new("listAttempts", HttpMethods.Get, "/api/runs/{id}/logs")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "Every attempt of every block, oldest first.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "AttemptPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation CancelByAuthor = new("cancelByAuthor", HttpMethods.Post, "/api/runs/{id}/cancel")
    {
        Scopes = [ScopeNames.RunsCancel],
        Summary = "Cancels a run.",
        Successes = [new(204, "It is cancelled, or is being cancelled.")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.RunTerminal],
    };

    public static readonly Operation ResumeBlock = new("resumeBlock", HttpMethods.Post, "/api/runs/{id}/resume")
    {
        Scopes = [ScopeNames.ApprovalsRespond],
        Summary = "Answers a block that waits. Of several answers at once one wins.",
        Body = "ResumeBlockRequest",
        Successes = [new(202, "The answer was taken.", "ResumedBlock")],
        Errors =
        [
            ErrorCodes.NotFound, ErrorCodes.InterruptNotFound, ErrorCodes.RunTerminal, ErrorCodes.RunPaused, ErrorCodes.InterruptAlreadyResolved,
            AsConflict(ErrorCodes.InterruptExpired), AsConflict(ErrorCodes.InterruptGone), AsConflict(ErrorCodes.InterruptCancelled), AsConflict(ErrorCodes.CorrelationMismatch),
        ],
    };

    private static ErrorCode AsConflict(ErrorCode code) => code with { HttpStatus = StatusCodes.Status409Conflict };
}
