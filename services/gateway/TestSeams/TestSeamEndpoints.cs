using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Configuration;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.TestSeams;

/// <summary>
/// <c>/v1/host/sample/…</c>: what tests of the protocol need beyond it (spec/conformance.md 6.3). The routes exist only where
/// <c>OPENWOP_TEST_SEAM_ENABLED</c> is on, which no production host has; credentials, scopes and tenants hold here as everywhere.
/// </summary>
internal static class TestSeamEndpoints
{
    public const string Setting = "OPENWOP_TEST_SEAM_ENABLED";

    private const int PageSize = 1000;

    private static readonly Operation Toggle = new("testToggleCapability", HttpMethods.Post, "/v1/host/sample/test/capability-toggle")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Switches a capability off or on for the caller's tenant: what it decides is what POST /v1/host/sample/workflows refuses.",
        Body = "ToggleCapabilityRequest",
        Successes = [new(200, "What is toggled now.", "CapabilityOverlay")],
        Errors = [ErrorCodes.ValidationError],
    };

    private static readonly Operation SetVariables = new("testSetVariables", HttpMethods.Post, "/v1/host/sample/test/runs/{runId}/variables")
    {
        Scopes = [ScopeNames.RunsCreate],
        Summary = "Changes variables of a run that is under way.",
        Body = "SetVariablesRequest",
        Successes = [new(200, "They are changed.", "RunStatusResponse")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound, ErrorCodes.RunTerminal],
    };

    private static readonly Operation ReadEvents = new("testReadEvents", HttpMethods.Get, "/v1/host/sample/test/runs/{runId}/events")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "The durable log of a run, or what is left of it by filters.",
        Parameters = ["EventType", "EventNodeId", "CausationId", "CorrelationId"],
        Successes = [new(200, "The events.", "RunEvents")],
        Errors = [ErrorCodes.NotFound],
    };

    private static readonly Operation PutWorkflow = new("testPutWorkflow", HttpMethods.Post, "/v1/host/sample/workflows")
    {
        Scopes = [ScopeNames.WorkflowsWrite],
        Summary = "Stores a workflow in a short form. Without edges the nodes follow one another.",
        Body = "SampleWorkflow",
        Successes = [new(201, "It is stored.", "SampleWorkflowVersion")],
        Errors = [ErrorCodes.ValidationError],
    };

    private static readonly Operation ProgramModel = new("testProgramModel", HttpMethods.Post, "/v1/host/sample/test/mock-ai/program")
    {
        Scopes = [ScopeNames.RunsCreate],
        Summary = "Writes down what the provider mock tells a node, call by call.",
        Body = "ProgramModelRequest",
        Successes = [new(200, "It is written down.", "ProgrammedModel")],
        Errors = [ErrorCodes.ValidationError],
    };

    private static readonly Operation ReadBudget = new("testReadBudget", HttpMethods.Get, "/v1/host/sample/test/mock-ai/last-dispatch-budget")
    {
        Scopes = [ScopeNames.RunsRead],
        Summary = "How many tokens the last call of a node to the provider mock has allowed.",
        Parameters = ["EventNodeId"],
        Successes = [new(200, "The budget; null = there was no call.", "ModelBudget")],
    };

    public static void MapTestSeams(this WebApplication app)
    {
        if (!app.Configuration.Switch(Setting))
            return;

        var overlay = new CapabilityOverlay();
        var runs = app.Services.GetRequiredService<Contracts.Runs.V1.Runs.RunsClient>();
        var workflows = app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>();
        app.MapOperation(Toggle, async (call, cancellationToken) =>
            Ok(new JsonObject { ["overlay"] = overlay.Apply(call.Caller.Tenant, await BodyOf(call, cancellationToken)) }));
        app.MapOperation(SetVariables, (call, cancellationToken) => SetVariablesAsync(runs, call, cancellationToken));
        app.MapOperation(ReadEvents, (call, cancellationToken) => ReadEventsAsync(runs, call, cancellationToken));
        app.MapOperation(ProgramModel, (call, cancellationToken) => ProgramModelAsync(runs, call, cancellationToken));
        app.MapOperation(ReadBudget, (call, cancellationToken) => ReadBudgetAsync(runs, call, cancellationToken));
        app.MapOperation(PutWorkflow, (call, cancellationToken) => PutWorkflowAsync(workflows, overlay, call, cancellationToken));
    }

    private static async Task<Answer> SetVariablesAsync(Contracts.Runs.V1.Runs.RunsClient runs, OperationCall call, CancellationToken cancellationToken)
    {
        var body = await BodyOf(call, cancellationToken);
        if (!body.TryGetProperty("variables", out var variables) || variables.ValueKind != JsonValueKind.Object)
            throw new ProtocolException(ProtocolError.Validation("variables must be an object.", "variables"));

        var request = new SetVariablesRequest { RunId = call.ResourceId, Variables = ByteString.CopyFromUtf8(variables.GetRawText()) };
        var reply = await runs.SetVariablesAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        return Ok(new JsonObject { ["runId"] = call.ResourceId, ["status"] = reply.Status });
    }

    /// <summary>The whole log, or what is left of it by <c>type</c>, <c>nodeId</c>, <c>causationId</c> and <c>correlationId</c>.</summary>
    private static async Task<Answer> ReadEventsAsync(Contracts.Runs.V1.Runs.RunsClient runs, OperationCall call, CancellationToken cancellationToken)
    {
        string[] filters = ["type", "nodeId", "causationId", "correlationId"];
        var asked = filters.Select(name => (Name: name, Value: call.Query(name))).Where(filter => filter.Value is not null).ToList();
        var events = new JsonArray();
        var request = new ReadEventsRequest { RunId = call.ResourceId, AfterSequence = -1, Limit = PageSize };
        ReadEventsReply page;
        do
        {
            page = await runs.ReadEventsAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
            foreach (var document in page.Events.Select(@event => JsonElement.Parse(@event.Span)))
            {
                if (asked.TrueForAll(filter => document.TryGetProperty(filter.Name, out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(filter.Value)))
                    events.Add(JsonNode.Parse(document.GetRawText()));
            }

            request.AfterSequence = page.LastSequence;
        }
        while (page.Events.Count == PageSize);
        return Ok(new JsonObject { ["events"] = events });
    }

    private static async Task<Answer> ProgramModelAsync(Contracts.Runs.V1.Runs.RunsClient runs, OperationCall call, CancellationToken cancellationToken)
    {
        var body = await BodyOf(call, cancellationToken);
        if (!body.TryGetProperty("nodeId", out var nodeId) || nodeId.ValueKind != JsonValueKind.String)
            throw new ProtocolException(ProtocolError.Validation("nodeId must be the id of a node.", "nodeId"));
        if (!body.TryGetProperty("program", out var program))
            throw new ProtocolException(ProtocolError.Validation("program must be a list of answers.", "program"));

        var request = new ProgramModelRequest { NodeId = nodeId.GetString()!, Program = ByteString.CopyFromUtf8(program.GetRawText()) };
        var reply = await runs.ProgramModelAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        return Ok(new JsonObject { ["nodeId"] = request.NodeId, ["answers"] = reply.Answers });
    }

    private static async Task<Answer> ReadBudgetAsync(Contracts.Runs.V1.Runs.RunsClient runs, OperationCall call, CancellationToken cancellationToken)
    {
        var request = new GetModelBudgetRequest { NodeId = call.Query("nodeId") ?? "" };
        var reply = await runs.GetModelBudgetAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        return Ok(new JsonObject { ["maxTokens"] = reply.HasMaxTokens ? reply.MaxTokens : null });
    }

    private static async Task<Answer> PutWorkflowAsync(
        Contracts.Workflows.V1.Workflows.WorkflowsClient workflows, CapabilityOverlay overlay, OperationCall call, CancellationToken cancellationToken)
    {
        var (workflowId, definition) = SampleWorkflow.Read(await BodyOf(call, cancellationToken), name => overlay.IsOff(call.Caller.Tenant, name));
        var request = new PutDefinitionRequest { WorkflowId = workflowId, Json = ByteString.CopyFromUtf8(definition.ToJsonString()) };
        var reply = await workflows.PutDefinitionAsync(request, call.Caller.CallOptions(WorkflowOperations.Service, RunOperations.Patience, cancellationToken));
        return Answer.Json(StatusCodes.Status201Created, Utf8(new JsonObject { ["workflowId"] = workflowId, ["version"] = reply.Version }));
    }

    private static async Task<JsonElement> BodyOf(OperationCall call, CancellationToken cancellationToken)
    {
        try
        {
            var body = JsonElement.Parse((await call.ReadBody(cancellationToken)).Span);
            return body.ValueKind == JsonValueKind.Object ? body : throw new ProtocolException(ProtocolError.Validation("The body must be a JSON object."));
        }
        catch (JsonException)
        {
            throw new ProtocolException(ProtocolError.Validation("The body is not JSON."));
        }
    }

    private static Answer Ok(JsonObject body) => Answer.Json(StatusCodes.Status200OK, Utf8(body));

    private static byte[] Utf8(JsonObject body) => System.Text.Encoding.UTF8.GetBytes(body.ToJsonString());
}
