using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Audit;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.ServiceDefaults.Configuration;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Mcp;

/// <summary>
/// Workflows as tools (spec/agents.md 13). A call creates a run and waits for its end, within a limit; a run that fails, is cancelled,
/// waits for somebody or takes longer is a result with <c>isError</c> that names the run. Listing takes <c>manifest:read</c>, calling
/// <c>runs:create</c> and <c>runs:read</c>.
/// </summary>
internal sealed class McpWorkflowTools(
    Contracts.Workflows.V1.Workflows.WorkflowsClient workflows,
    Contracts.Runs.V1.Runs.RunsClient runs,
    IHttpContextAccessor accessor,
    PublicAddress address,
    AuditLog audit,
    ErrorTranslator errors,
    IConfiguration configuration,
    TimeProvider clock)
{
    /// <summary>Longest time that a call waits for its run, in seconds.</summary>
    public const string TimeoutSetting = "OPENWOP_MCP_CALL_TIMEOUT_SECONDS";

    /// <summary>A call of a tool, for the audit log: what it takes and what it is written down as.</summary>
    private static readonly Operation CallTool = new("mcpCallTool", HttpMethods.Post, $"{McpEndpoint.Route} tools/call")
    {
        Scopes = [ScopeNames.RunsCreate, ScopeNames.RunsRead],
        Successes = [],
    };

    private const int PageSize = 100;
    private const int MaxResultBytes = 1024 * 1024;
    private const int WaitMs = 20_000;

    private readonly TimeSpan timeout = TimeSpan.FromSeconds(configuration.Number(TimeoutSetting, otherwise: 60, min: 1, max: 3600));

    public async ValueTask<ListToolsResult> ListAsync(string? cursor, CancellationToken cancellationToken)
    {
        var caller = McpEndpoint.CallerOf(accessor);
        Require(caller, ScopeNames.ManifestRead);
        try
        {
            var request = new ListDefinitionsRequest { WithJson = true, Limit = PageSize, After = cursor ?? "" };
            var page = await workflows.ListDefinitionsAsync(request, caller.CallOptions(WorkflowOperations.Service, RunOperations.Patience, cancellationToken));
            return new ListToolsResult
            {
                Tools = [.. page.Definitions.Where(definition => definition.WorkflowId.Length <= 128).Select(WorkflowTool.Of)],
                NextCursor = page.Next.Length > 0 ? page.Next : null,
            };
        }
        catch (RpcException exception)
        {
            var error = errors.Translate(exception, "mcp");
            throw new McpProtocolException($"{error.Code.Name}: {error.Message}", McpErrorCode.InternalError);
        }
    }

    public async ValueTask<CallToolResult> CallAsync(CallToolRequestParams call, CancellationToken cancellationToken)
    {
        var caller = McpEndpoint.CallerOf(accessor);
        var started = clock.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            (var result, status) = await CallAsync(caller, call, cancellationToken);
            return result;
        }
        catch (McpProtocolException)
        {
            status = StatusCodes.Status403Forbidden;
            throw;
        }
        finally
        {
            audit.Record(CallTool, caller, call.Name, status, clock.GetElapsedTime(started));
        }
    }

    /// <summary>The result, and the status that the creation of the run would have had over REST.</summary>
    private async Task<(CallToolResult Result, int Status)> CallAsync(ApiCaller caller, CallToolRequestParams call, CancellationToken cancellationToken)
    {
        foreach (var scope in CallTool.Scopes)
            Require(caller, scope);

        try
        {
            var created = await runs.CreateRunAsync(
                new CreateRunRequest { Body = BodyOf(call), Transport = RunTransports.Mcp, Traceparent = accessor.HttpContext!.Request.Headers.TraceParent.ToString() }, caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
            var isOver = await WaitAsync(caller, created.RunId, cancellationToken);
            var snapshot = await runs.GetRunAsync(
                new GetRunRequest { RunId = created.RunId, BaseUrl = address.Configured ?? "" }, caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
            return (ResultOf(created.RunId, JsonElement.Parse(snapshot.Snapshot.Span), isOver), StatusCodes.Status201Created);
        }
        catch (Exception exception) when (exception is RpcException or ProtocolException && !cancellationToken.IsCancellationRequested)
        {
            // Also what is wrong with the arguments: a model can read it and try again.
            var error = errors.Translate(exception, "mcp");
            return (Failure(new JsonObject { ["error"] = error.Code.Name, ["message"] = error.Message }), error.Code.HttpStatus);
        }
    }

    /// <summary>True when the run is over; false when it waits for somebody, or the time is.</summary>
    private async Task<bool> WaitAsync(ApiCaller caller, string runId, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var request = new ReadEventsRequest { RunId = runId, Limit = 1000 };
        while (true)
        {
            var left = timeout - clock.GetElapsedTime(started);
            request.WaitMs = (int)Math.Clamp(left.TotalMilliseconds, 0, WaitMs);
            var page = await runs.ReadEventsAsync(request, caller.CallOptions(RunOperations.Service, RunOperations.Patience + TimeSpan.FromMilliseconds(WaitMs), cancellationToken));
            if (page.Terminal)
                return true;

            if (left <= TimeSpan.Zero || page.Status.StartsWith("waiting-", StringComparison.Ordinal))
                return false;

            request.AfterSequence = page.LastSequence;
        }
    }

    private static CallToolResult ResultOf(string runId, JsonElement snapshot, bool isOver)
    {
        var status = snapshot.GetProperty("status").GetString()!;
        var result = new JsonObject { ["runId"] = runId, ["status"] = status };
        if (status == RunStatuses.Completed)
        {
            var outputs = snapshot.TryGetProperty("outputs", out var given) ? JsonMarshal.GetRawUtf8Value(given) : "{}"u8;
            if (outputs.Length > MaxResultBytes)
            {
                result["message"] = $"The outputs have more than {MaxResultBytes} bytes; read them from the run.";
                return Failure(result);
            }

            result["outputs"] = JsonNode.Parse(outputs);
            return new CallToolResult { Content = [new TextContentBlock { Text = result["outputs"]!.ToJsonString() }], StructuredContent = ToElement(result) };
        }

        if (snapshot.TryGetProperty("error", out var error))
            result["error"] = JsonNode.Parse(JsonMarshal.GetRawUtf8Value(error));

        if (!isOver)
            result["message"] = status.StartsWith("waiting-", StringComparison.Ordinal) ? "The run waits for an answer." : "The run goes on; it takes longer than a call may wait.";

        return Failure(result);
    }

    private static CallToolResult Failure(JsonObject result) =>
        new() { IsError = true, Content = [new TextContentBlock { Text = result.ToJsonString() }], StructuredContent = ToElement(result) };

    private static JsonElement ToElement(JsonObject value) => JsonElement.Parse(value.ToJsonString());

    private static ByteString BodyOf(CallToolRequestParams call)
    {
        var body = new JsonObject { ["workflowId"] = call.Name };
        var inputs = new JsonObject();
        foreach (var (name, value) in call.Arguments?.AsEnumerable() ?? [])
            inputs[name] = JsonNode.Parse(JsonMarshal.GetRawUtf8Value(value));

        body["inputs"] = inputs;
        return ByteString.CopyFromUtf8(body.ToJsonString());
    }

    private static void Require(ApiCaller caller, string scope)
    {
        if (!caller.HasScope(scope))
            throw new McpProtocolException($"The credential lacks the scope {scope}.", McpErrorCode.InvalidRequest);
    }
}
