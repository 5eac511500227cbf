using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// Every operation of the protocol that is served, and nothing else. REST routes, gRPC methods, scope checks, idempotency and the OpenAPI
/// document are all made from this table (spec/http-core.md 3.1).
/// </summary>
internal static class Operations
{
    public static readonly Operation GetCapabilities = new("getCapabilities", HttpMethods.Get, "/.well-known/openwop")
    {
        Rpc = "GetCapabilities",
        IsLimited = false,
        Summary = "What this server supports.",
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "The discovery document.", "Capabilities"), new(304, "The document has not changed.")],
    };

    public static readonly Operation GetOpenApi = new("getOpenApi", HttpMethods.Get, "/v1/openapi.json")
    {
        Summary = "The OpenAPI document of the protocol.",
        IsLimited = false,
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "An OpenAPI 3.1 document.", "JsonObject"), new(304, "The document has not changed.")],
    };

    public static readonly Operation GetAuthoringOpenApi = new("getAuthoringOpenApi", HttpMethods.Get, "/api/openapi.json")
    {
        Summary = "The OpenAPI document of the authoring plane.",
        IsLimited = false,
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "An OpenAPI 3.1 document.", "JsonObject"), new(304, "The document has not changed.")],
    };

    public static readonly Operation GetWorkflow = new("getWorkflow", HttpMethods.Get, "/v1/workflows/{workflowId}")
    {
        Rpc = "GetWorkflow",
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The stored definition of a workflow, verbatim.",
        Parameters = ["IfNoneMatch"],
        Successes = [new(200, "The definition.", "WorkflowDefinition"), new(304, "The definition has not changed.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation PutWorkflow = new("putWorkflow", HttpMethods.Put, "/v1/workflows/{workflowId}")
    {
        Rpc = "PutWorkflow",
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Stores a new version of a workflow. An extension of this server.",
        Parameters = ["IdempotencyKey", "IfMatch", "IfNoneMatch"],
        Body = "WorkflowDefinition",
        Successes = [new(200, "A new version was stored.", "WorkflowVersion"), new(201, "The workflow was created.", "WorkflowVersion")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.PreconditionFailed],
    };

    public static readonly Operation CreateRun = new("createRun", HttpMethods.Post, "/v1/runs")
    {
        Rpc = "CreateRun",
        Scopes = [ScopeNames.RunsCreate],
        Summary = "Creates a run. When the answer arrives, the run is durable.",
        Parameters = ["IdempotencyKey", "Dedup", "ForceEngineVersion"],
        Body = "CreateRunRequest",
        Successes = [new(201, "The run was created.", "CreateRunResponse")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.UnsupportedForceEngineVersion, ErrorCodes.ForceEngineVersionForbidden, ErrorCodes.UnsupportedMockProvider, ErrorCodes.MockProviderForbidden, ErrorCodes.CredentialForbidden, ErrorCodes.RunAlreadyActive, ErrorCodes.CapabilityRequired],
    };

    public static readonly Operation GetRun = new("getRun", HttpMethods.Get, "/v1/runs/{runId}")
    {
        Rpc = "GetRun",
        Scopes = [ScopeNames.RunsRead],
        Summary = "The snapshot of a run.",
        Successes = [new(200, "The snapshot.", "RunSnapshot")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation StreamRunEvents = new("streamRunEvents", HttpMethods.Get, "/v1/runs/{runId}/events")
    {
        Rpc = "StreamRunEvents",
        Scopes = [ScopeNames.RunsRead],
        Summary = "The events of a run as server-sent events: stored ones first, then live ones, until the run is over. "
            + "With Accept: application/json the stored events so far.",
        Parameters = ["StreamMode", "BufferMs", "LastEventId"],
        Successes = [new(200, "The events.", "RunEventPage") { IsEventStream = true }],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.UnsupportedStreamMode, ErrorCodes.NotFound],
    };

    public static readonly Operation PollRunEvents = new("pollRunEvents", HttpMethods.Get, "/v1/runs/{runId}/events/poll")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "The events of a run after a sequence; waits for the next one when there is none yet.",
        Parameters = ["LastSequence", "Since", "Timeout"],
        Successes = [new(200, "The events.", "RunEventPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation CancelRun = new("cancelRun", HttpMethods.Post, "/v1/runs/{runId}/cancel")
    {
        Rpc = "CancelRun",
        Scopes = [ScopeNames.RunsCancel],
        Summary = "Cancels a run. Cancelling a run that is over changes nothing.",
        Parameters = ["IdempotencyKey"],
        Body = "CancelRunRequest",
        BodyRequired = false,
        Successes = [new(200, "The run is cancelled, or is being cancelled.", "RunStatusResponse")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation BulkCancelRuns = new("bulkCancelRuns", HttpMethods.Post, "/v1/runs:bulk-cancel")
    {
        Rpc = "BulkCancelRuns",
        Scopes = [ScopeNames.RunsCancel],
        Summary = "Cancels several runs, each by itself. The results come in the order of the request.",
        Parameters = ["IdempotencyKey"],
        Body = "BulkCancelRequest",
        Successes = [new(200, "What became of each run, which may be an error.", "BulkCancelResponse")],
    };

    public static readonly Operation ForkRun = new("forkRun", HttpMethods.Post, "/v1/runs/{runId}:fork")
    {
        Rpc = "ForkRun",
        Scopes = [ScopeNames.RunsCreate, ScopeNames.RunsRead],
        Summary = "Makes a new run from the history of another one: a replay repeats what was recorded, a branch lives on.",
        Parameters = ["IdempotencyKey"],
        Body = "ForkRunRequest",
        Successes = [new(201, "The fork was created.", "ForkRunResponse")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound, ErrorCodes.SequenceNotFound],
    };

    public static readonly Operation DiffRuns = new("diffRuns", HttpMethods.Get, "/v1/runs/{runId}:diff")
    {
        Rpc = "DiffRuns",
        Scopes = [ScopeNames.RunsRead],
        Summary = "What differs between two runs, event by event and in the end. Identities, times and durations do not count.",
        Parameters = ["Against"],
        Successes = [new(200, "The differences; truncated when a run is not over or there are too many.", "RunDiff")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation GetDebugBundle = new("getDebugBundle", HttpMethods.Get, "/v1/runs/{runId}/debug-bundle")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "Snapshot, log and figures of a run in one document to hand on. Cut to a prefix of the log when it is long.",
        Parameters = ["MaxEvents"],
        Successes = [new(200, "The bundle.", "DebugBundle")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation GetRunAncestry = new("getRunAncestry", HttpMethods.Get, "/v1/runs/{runId}/ancestry")
    {
        Rpc = "GetRunAncestry",
        Scopes = [ScopeNames.RunsRead],
        Summary = "The run that has started this one, if one has.",
        Successes = [new(200, "One step up.", "RunAncestry")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation GetArtifact = new("getArtifact", HttpMethods.Get, "/v1/runs/{runId}/artifacts/{artifactId}")
    {
        Rpc = "GetArtifact",
        Scopes = [ScopeNames.ArtifactsRead],
        Summary = "The newest version of an artifact that the run has made.",
        Successes = [new(200, "The artifact with its data.", "Artifact")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation PauseRun = new("pauseRun", HttpMethods.Post, "/v1/runs/{runId}:pause")
    {
        Rpc = "PauseRun",
        Scopes = [ScopeNames.RunsCancel],
        Summary = "Asks for a pause, which takes effect when the drain policy allows.",
        Parameters = ["IdempotencyKey"],
        Body = "PauseRunRequest",
        BodyRequired = false,
        Successes = [new(202, "The pause was accepted.", "PauseRunResponse")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.RunNotPausable],
    };

    public static readonly Operation ResumeRun = new("resumeRun", HttpMethods.Post, "/v1/runs/{runId}:resume")
    {
        Rpc = "ResumeRun",
        Scopes = [ScopeNames.RunsCancel],
        Summary = "Lets a paused run go on.",
        Parameters = ["IdempotencyKey"],
        Body = "ResumeRunRequest",
        BodyRequired = false,
        Successes = [new(202, "The run goes on.", "ResumeRunResponse")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.RunNotPaused],
    };

    public static readonly Operation RegisterWebhook = new("registerWebhook", HttpMethods.Post, "/v1/webhooks")
    {
        Rpc = "RegisterWebhook",
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Registers a URL that is told of events of runs from now on. The answer shows the secret that signs the deliveries, this once.",
        Parameters = ["IdempotencyKey"],
        Body = "RegisterWebhookRequest",
        Successes = [new(201, "The webhook was registered.", "RegisterWebhookResponse")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.WebhookUrlRejected, ErrorCodes.WebhookLimitReached],
    };

    public static readonly Operation UnregisterWebhook = new("unregisterWebhook", HttpMethods.Delete, "/v1/webhooks/{webhookId}")
    {
        Rpc = "UnregisterWebhook",
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Ends a webhook. What it still had to deliver is not delivered.",
        Parameters = ["IdempotencyKey"],
        Successes = [new(204, "The webhook is gone.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation VerifyAuditLog = new("verifyAuditLog", HttpMethods.Get, "/v1/audit/verify")
    {
        Rpc = "VerifyAuditLog",
        Scopes = [ScopeNames.AuditRead],
        Summary = "Walks a range of the organization's audit log again: its chain of hashes and its signed checkpoints.",
        Parameters = ["FromSeq", "ToSeq"],
        Successes = [new(200, "What the walk has shown.", "AuditVerifyResult")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation ListSecrets = new("listSecrets", HttpMethods.Get, "/v1/secrets")
    {
        Scopes = [ScopeNames.SecretsManage],
        Summary = "The secrets of the organization in the mode of the key, without their values. An extension of this server.",
        Parameters = ["After", "Limit"],
        Successes = [new(200, "Secrets, ordered by id.", "SecretPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation PutSecret = new("putSecret", HttpMethods.Put, "/v1/secrets/{secretId}")
    {
        Scopes = [ScopeNames.SecretsManage],
        Summary = "Stores a secret or replaces its value, which nobody reads back. An extension of this server.",
        Parameters = ["IdempotencyKey"],
        Body = "PutSecretRequest",
        Successes = [new(200, "The secret has this value now.", "Secret"), new(201, "The secret was created.", "Secret")],
        Errors = [ErrorCodes.PreconditionFailed],
    };

    public static readonly Operation DeleteSecret = new("deleteSecret", HttpMethods.Delete, "/v1/secrets/{secretId}")
    {
        Scopes = [ScopeNames.SecretsManage],
        Summary = "Removes a secret. An extension of this server.",
        Parameters = ["IdempotencyKey"],
        Successes = [new(204, "The secret is gone.")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation ResolveInterruptByRun = new("resolveInterruptByRun", HttpMethods.Post, "/v1/runs/{runId}/interrupts/{nodeId}")
    {
        Rpc = "ResolveInterruptByRun",
        Scopes = [ScopeNames.ApprovalsRespond],
        Summary = "Answers the interrupt that a node waits for. Of several answers at once one wins.",
        Parameters = ["IdempotencyKey"],
        Body = "ResolveInterruptRequest",
        Successes = [new(200, "The answer was taken.", "ResolveInterruptResponse")],
        Errors =
        [
            ErrorCodes.NotFound, ErrorCodes.InterruptNotFound, ErrorCodes.InterruptAlreadyResolved,
            ErrorCodes.InterruptExpired, ErrorCodes.InterruptGone, ErrorCodes.InterruptCancelled, ErrorCodes.CorrelationMismatch,
        ],
    };

    public static readonly Operation InspectInterruptByToken = new("inspectInterruptByToken", HttpMethods.Get, "/v1/interrupts/{token}")
    {
        Rpc = "InspectInterruptByToken",
        Summary = "What an interrupt asks for. The signed token is the credential; looking does not use it up.",
        Successes = [new(200, "The interrupt.", "InterruptPayload")],
        Errors = [ErrorCodes.InterruptNotFound, ErrorCodes.InterruptExpired],
    };

    public static readonly Operation ResolveInterruptByToken = new("resolveInterruptByToken", HttpMethods.Post, "/v1/interrupts/{token}")
    {
        Rpc = "ResolveInterruptByToken",
        Summary = "Answers an interrupt with a signed token instead of a credential.",
        Parameters = ["IdempotencyKey"],
        Body = "ResolveInterruptRequest",
        Successes = [new(200, "The answer was taken.", "ResolveInterruptResponse")],
        Errors =
        [
            ErrorCodes.Forbidden, ErrorCodes.InterruptNotFound, ErrorCodes.InterruptAlreadyResolved,
            ErrorCodes.InterruptExpired, ErrorCodes.IdempotencyKeyMismatch, ErrorCodes.InterruptGone, ErrorCodes.InterruptCancelled, ErrorCodes.CorrelationMismatch,
        ],
    };

    /// <summary>The whole table, in the order of the documentation.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        GetCapabilities, GetOpenApi, GetAuthoringOpenApi,
        GetWorkflow, PutWorkflow,
        CreateRun, GetRun, StreamRunEvents, PollRunEvents, CancelRun, BulkCancelRuns, ForkRun, PauseRun, ResumeRun, DiffRuns, GetRunAncestry, GetDebugBundle, GetArtifact,
        ResolveInterruptByRun, InspectInterruptByToken, ResolveInterruptByToken,
        ListSecrets, PutSecret, DeleteSecret,
        RegisterWebhook, UnregisterWebhook,
        VerifyAuditLog,
    ];
}
