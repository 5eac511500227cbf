using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Client;
using OpenWop.Micro.Client.Runs;
using OpenWop.Micro.Client.Workflows;

namespace OpenWop.Micro.Examples.RepairLoop;

/// <summary>What came of a sentence.</summary>
/// <param name="Run">The finished run; null when the model did not get the workflow to work.</param>
internal sealed record LoopResult(string WorkflowId, int Turns, RunSnapshot? Run);

/// <summary>
/// From a sentence to a running workflow:
/// <list type="number">
/// <item>The model gets the catalogue: what blocks there are, with every parameter that it may set.</item>
/// <item>It sends edit operations. What fits is applied; what does not is skipped and explained.</item>
/// <item>The explanation goes back to the model word for word, and it repairs. That is the whole trick: nothing is lost by a mistake,
/// and the reason says what would have worked.</item>
/// <item>When the workflow is sound it is run, and its events are shown.</item>
/// </list>
/// </summary>
internal sealed class RepairLoop(OpenWopClient server, ChatModel model, TextWriter output)
{
    private const int MaxTurns = 8;
    private const string EditTool = "edit_workflow";

    /// <param name="input">The input of the run; null = none.</param>
    public async Task<LoopResult> RunAsync(string sentence, JsonElement? input, CancellationToken cancellationToken)
    {
        // 1.
        var catalogue = await server.Catalogue.ConnectorsAsync(full: true, cancellationToken);
        var tools = await ToolsAsync(cancellationToken);
        var workflow = await server.Workflows.CreateAsync(sentence.Length <= 100 ? sentence : sentence[..100], cancellationToken: cancellationToken);
        var messages = new List<JsonObject> { Message("system", Instructions(catalogue)), Message("user", sentence) };
        var version = workflow.Version;
        var isSound = false;
        for (var turn = 1; turn <= MaxTurns; turn++)
        {
            // 2.
            var reply = await model.AskAsync(messages, tools, cancellationToken);
            messages.Add(reply.Message);
            if (reply.Calls.Count == 0)
            {
                if (isSound)
                    return new LoopResult(workflow.Id, turn, await WatchAsync(workflow.Id, input, cancellationToken));

                messages.Add(Message("user", "The workflow cannot run yet. Go on with " + EditTool + "."));
                continue;
            }

            // 3.
            foreach (var call in reply.Calls)
            {
                var (answer, patched) = await ApplyAsync(workflow.Id, version, call, cancellationToken);
                (version, isSound) = patched is null ? (version, isSound) : (patched.Version, patched.Ok);
                messages.Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = call.Id, ["content"] = answer });
                await output.WriteLineAsync($"turn {turn}: {answer.Replace("\n", "\n  ", StringComparison.Ordinal)}");
            }

            // 4.
            if (isSound)
                return new LoopResult(workflow.Id, turn, await WatchAsync(workflow.Id, input, cancellationToken));
        }

        return new LoopResult(workflow.Id, MaxTurns, Run: null);
    }

    private static string Instructions(IReadOnlyList<JsonElement> catalogue) =>
        $"""
        You build workflows with the function {EditTool}. A workflow is a graph of blocks. Begin with a trigger block, connect blocks with
        'connect', and refer to outputs of blocks upstream as {"{{block_id.output}}"} and to the input of the run as {"{{trigger.name}}"}.
        Operations that do not fit are skipped with a reason: read it and repair only what it names. Say 'done' when nothing is left to do.
        These are all the blocks there are: {JsonSerializer.Serialize(catalogue)}
        """;

    /// <summary>The functions that the server describes, in the words of chat completions.</summary>
    private async Task<JsonArray> ToolsAsync(CancellationToken cancellationToken)
    {
        var described = await server.Catalogue.ToolsAsync(cancellationToken);
        return new JsonArray([.. described.GetProperty("tools").EnumerateArray().Select(tool => new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = tool.GetProperty("name").GetString(),
                ["description"] = tool.GetProperty("description").GetString(),
                ["parameters"] = JsonNode.Parse(tool.GetProperty("input_schema").GetRawText()),
            },
        })]);
    }

    /// <summary>Whatever the model sends, it gets an answer that it can work with.</summary>
    private async Task<(string Answer, PatchResult? Patched)> ApplyAsync(string workflowId, int version, ToolCall call, CancellationToken cancellationToken)
    {
        if (call.Name != EditTool)
            return ($"There is no function '{call.Name}'; call {EditTool}.", null);

        JsonElement operations;
        try
        {
            using var arguments = JsonDocument.Parse(call.Arguments);
            operations = arguments.RootElement.ValueKind == JsonValueKind.Object && arguments.RootElement.TryGetProperty("ops", out var ops) ? ops.Clone() : arguments.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            return ($"The arguments are not JSON: {exception.Message}", null);
        }

        try
        {
            var patched = await server.Workflows.PatchAsync(workflowId, version, operations, cancellationToken: cancellationToken);
            return (patched.Summary, patched);
        }
        catch (OpenWopException refused) when (refused.Status == HttpStatusCode.BadRequest)
        {
            return ($"Nothing was applied: {refused.Body}", null);
        }
    }

    private async Task<RunSnapshot> WatchAsync(string workflowId, JsonElement? input, CancellationToken cancellationToken)
    {
        var run = await server.Runs.CreateAsync(new NewRun { WorkflowId = workflowId, Inputs = input }, cancellationToken: cancellationToken);
        await output.WriteLineAsync($"Workflow {workflowId} runs as {run.RunId}.");
        await foreach (var runEvent in server.Runs.StreamAsync(run.RunId, cancellationToken: cancellationToken))
        {
            var what = runEvent.Payload.ValueKind == JsonValueKind.Object
                && (runEvent.Payload.TryGetProperty("outputs", out var value) || runEvent.Payload.TryGetProperty("error", out value)) ? value.GetRawText() : "";
            await output.WriteLineAsync($"{runEvent.Type} {runEvent.NodeId} {what}".TrimEnd());
        }

        return await server.Runs.GetAsync(run.RunId, cancellationToken);
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
