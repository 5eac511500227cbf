using System.Collections.Immutable;

namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>
/// The built-in block types. The catalogue, the rules of editing and the engine read them in the host's <see cref="ConnectorSet"/>, so that
/// what is shown is what is enforced.
/// </summary>
public static class Connectors
{
    /// <summary>In the order of the catalogue.</summary>
    public static ImmutableArray<Connector> All { get; } =
    [
        new("trigger_webhook", "Webhook trigger", "Where a run begins. Its output is the input of the run, as it is.", "trigger", "trigger")
        {
            Parameters = [Short("path", "Path of the webhook that starts the workflow.")],
            Outputs = [new("body", "object", "The body of the request, when the input has one."), new("headers", "object", "The headers of the request, when the input has them.")],
            HasOpenOutputs = true,
        },
        new("http", "HTTP request", "Sends a request. Any status is a success; a connection that fails is retried.", "tools", "compute")
        {
            Parameters =
            [
                Required(Short("url", "Absolute http or https address.")),
                Choice("method", "Default GET.", "GET", "POST", "PUT", "DELETE", "PATCH"),
                Json("headers", "Header values by name."),
                Json("body", "A string is sent as it is, anything else as JSON."),
            ],
            Outputs =
            [
                new("status", "number", "Status of the answer."),
                new("body", "object", "The parsed body of a JSON answer, else text."),
                new("headers", "object", "Headers of the answer, names in lower case."),
            ],
            Example = """{"url":"https://api.example.com/orders","method":"POST","body":{"id":"{{trigger.orderId}}"}}""",
        },
        new("slack", "Slack", "Posts a message. This server pretends to: nothing leaves it.", "tools", "compute")
        {
            Parameters =
            [
                Required(Choice("operation", "What to do.", "send")),
                Required(Short("channel", "Name or id of the channel.")),
                Required(Long("text", "The message.")),
                Short("threadTs", "Timestamp of the message to answer."),
                Short("accessToken", "Token of the workspace.") with { Visibility = ParameterVisibility.Hidden },
            ],
            Outputs =
            [
                new("ok", "boolean", "True when the message was taken."),
                new("ts", "string", "Timestamp of the message."),
                new("channel", "string", "The channel."),
            ],
            Example = """{"operation":"send","channel":"#orders","text":"Order {{trigger.orderId}} has arrived."}""",
        },
        new("transform", "Transform", "Builds a value out of others.", "logic", "compute")
        {
            Parameters = [Required(Json("template", "Any JSON; strings may refer to other blocks."))],
            Outputs = [new("result", "object", "The template with its references replaced.")],
            Example = """{"template":{"total":"{{fetch.body.total}}","isLarge":true}}""",
        },
        new("wait_duration", "Delay", "Waits for a time and goes on.", "wait", "wait")
        {
            Parameters =
            [
                Required(Short("duration", "A number of units; whole seconds at least one.")),
                Required(Choice("unit", "Unit of the duration.", "milliseconds", "seconds", "minutes", "hours", "days", "weeks")),
            ],
            Outputs = [new("resumedAt", "string", "When the wait was over.")],
            Example = """{"duration":3,"unit":"days"}""",
        },
        new("wait_for_event", "Wait for an event", "Waits until somebody resumes the block with a payload, or for too long.", "wait", "wait")
        {
            Parameters =
            [
                Required(Short("eventName", "Name of the event.")),
                Short("correlationKey", "What the event is about."),
                Short("timeoutHours", "Hours, also fractions; a year by default."),
            ],
            Outputs = [new("data", "object", "The payload, null after the timeout."), new("timedOut", "boolean", "True when nothing came in time.")],
            Example = """{"eventName":"payment.received","correlationKey":"{{trigger.orderId}}","timeoutHours":48}""",
        },
        new("human_approval", "Approval", "Waits until a person approves or rejects.", "wait", "wait")
        {
            Parameters =
            [
                Required(Long("prompt", "What the person is asked.")),
                Short("timeoutHours", "Hours, also fractions; a week by default."),
                Short("resumeBaseUrl", "Start of the address in notifications.") with { Visibility = ParameterVisibility.UserOnly },
            ],
            Outputs =
            [
                new("approved", "boolean", "The decision."),
                new("by", "string", "Who has decided."),
                new("note", "string", "What they have said about it."),
            ],
            Example = """{"prompt":"Ship order {{trigger.orderId}}?","timeoutHours":24}""",
        },
        new("trigger_manual", "Manual trigger", "Where a run begins that somebody starts. Its output is the input of the run, as it is.", "trigger", "trigger") { HasOpenOutputs = true },
        new("trigger_schedule", "Schedule trigger", "Where a run begins that a schedule of the workflow starts. Its output is the payload of the schedule.", "trigger", "trigger") { HasOpenOutputs = true },
        new("wait_until", "Wait until", "Waits until a point in time; one that is over does not wait.", "wait", "wait")
        {
            Parameters = [Required(Short("until", "RFC 3339, such as 2027-01-31T12:00:00Z, or Unix milliseconds; at most 365 days away."))],
            Outputs = [new("resumedAt", "string", "When the wait was over.")],
            Example = """{"until":"{{trigger.dueAt}}"}""",
        },
        new("human_input", "Human input", "Waits until a person fills something in.", "wait", "wait")
        {
            Parameters =
            [
                Required(Long("prompt", "What the person is asked for.")),
                Json("schema", "JSON Schema of the answer; any JSON by default."),
                Short("timeoutHours", "Hours, also fractions; a week by default."),
            ],
            Outputs = [new("data", "object", "The answer, null after the timeout."), new("timedOut", "boolean", "True when nobody answered in time.")],
            Example = """{"prompt":"Which address?","schema":{"type":"object","required":["street"],"properties":{"street":{"type":"string"}}}}""",
        },
        new("condition", "Condition", "Compares two values; its handles true and false lead on.", "logic", "compute")
        {
            Parameters =
            [
                Json("left", "The value to look at."),
                Required(Choice(
                    "operator", "How to compare.",
                    "equals", "not_equals", "greater", "greater_or_equal", "less", "less_or_equal", "contains", "exists", "not_exists", "is_true")),
                Json("right", "The value to compare with."),
            ],
            Outputs = [new("result", "boolean", "Whether the comparison holds.")],
            Example = """{"left":"{{fetch.body.total}}","operator":"greater","right":1000}""",
        },
        new("switch", "Switch", "Chooses one of several handles by a value.", "logic", "compute")
        {
            Parameters = [Json("value", "The value that decides."), Json("cases", "Handles and the value that each stands for; by default a handle stands for its own name.")],
            Outputs = [new("branch", "string", "The chosen handle; empty when none fits, and the connections without a handle lead on.")],
            Example = """{"value":"{{trigger.country}}","cases":{"home":"CH","europe":["DE","FR","IT"]}}""",
        },
        new("parallel", "Parallel", "Marks a fork: all connections lead on at the same time.", "logic", "compute"),
        new("join", "Join", "Marks where branches come together: goes on once, when all of them have ended or were skipped.", "logic", "compute"),
        new("sub_workflow", "Workflow", "Runs another workflow and waits for its end.", "logic", "compute")
        {
            Parameters = [Required(Short("workflowId", "Id of the workflow.")), Json("input", "Input of its run, an object.")],
            Outputs =
            [
                new("childRunId", "string", "Id of the run."),
                new("childStatus", "string", "How it ended."),
                new("childOutputs", "object", "What it gave."),
            ],
            Example = """{"workflowId":"wf-billing","input":{"orderId":"{{trigger.orderId}}"}}""",
        },
        new("for_each", "Loop over items", "Runs a workflow for every item of a list and collects what the runs give, in the order of the list.", "logic", "compute")
        {
            Parameters =
            [
                Required(Json("items", "The list, at most 1,000 items.")),
                Required(Short("workflowId", "Id of the workflow that runs per item; its input is {item, index, count} and the members of input.")),
                Json("input", "What all runs get besides, an object."),
                Short("concurrency", "How many items run at the same time, 1 to 50; 1 by default."),
                Short("attempts", "How often an item is run at most until it succeeds, 1 to 5; 1 by default."),
                Choice("onError", "What an item that fails means: fail (default) ends the loop, continue leaves null in its place.", "fail", "continue"),
            ],
            Outputs =
            [
                new("results", "array", "What each run gave, in the order of the list; null for those that failed."),
                new("count", "number", "How many items there were."),
                new("failed", "number", "How many of them failed."),
                new("errors", "array", "Of those that failed: index, runId, code and message."),
            ],
            Example = """{"items":"{{fetch.body.orders}}","workflowId":"wf-order","concurrency":5,"onError":"continue"}""",
        },
        new("map_data", "Map data", "Gives an object, or every object of a list, another shape: fields from paths, filtered if need be.", "logic", "compute")
        {
            Parameters =
            [
                Required(Json("source", "The object or list.")),
                Json("fields", "Paths into the source by name of the new field, or {path, default, type} with type string, number or boolean; all as it is by default."),
                Json("where", "Which items of a list are kept: {path, operator, value} with an operator of conditions."),
            ],
            Outputs = [new("result", "object", "The new object or list."), new("count", "number", "How many items a list has.")],
            Example = """{"source":"{{fetch.body.orders}}","fields":{"id":"orderId","city":{"path":"address.city","default":"unknown"}},"where":{"path":"total","operator":"greater","value":100}}""",
        },
        new("ai_prompt", "AI prompt", "Asks a language model.", "tools", "compute")
        {
            Parameters =
            [
                Required(Long("prompt", "What is asked.")),
                Long("systemPrompt", "What the model is told about its task."),
                Short("provider", "Name of a provider of the server; the first one by default."),
                Short("model", "Name of a model; the provider's by default."),
                Short("temperature", "A number from 0 to 2."),
                Short("maxTokens", "Longest answer, in tokens."),
                Json("outputSchema", "JSON Schema: the answer is JSON that satisfies it, in output."),
                Short("credentialRef", "Id of the secret that holds the provider's key.") with { Visibility = ParameterVisibility.UserOnly },
            ],
            Outputs =
            [
                new("text", "string", "The answer."),
                new("output", "object", "The answer as JSON, with an outputSchema."),
                new("provider", "string", "Who answered."),
                new("model", "string", "As which model."),
                new("finishReason", "string", "Why the answer ended."),
                new("usage", "object", "inputTokens, outputTokens and totalTokens."),
                new("toolCalls", "array", "Calls of tools that the model asks for."),
            ],
            Example = """{"prompt":"Summarize: {{fetch.body.text}}","maxTokens":300}""",
        },
        new("set_variables", "Set variables", "Sets variables of the run, which {{vars.name}} reads.", "action", "compute")
        {
            Parameters = [Required(Json("variables", "Values by name."))],
            Outputs = [new("values", "object", "The values by name.")],
            Example = """{"variables":{"customer":"{{trigger.customer}}"}}""",
        },
        new("log", "Log", "Writes a line into the log of the run.", "action", "compute")
        {
            Parameters = [Required(Long("message", "The line.")), Choice("level", "Default info.", "debug", "info", "warn", "error")],
            Example = """{"message":"Order {{trigger.orderId}} is in."}""",
        },
        new("fail", "Fail", "Fails, for good.", "logic", "compute")
        {
            Parameters = [Long("message", "Why.")],
            Example = """{"message":"No such customer."}""",
        },
    ];

    private static ConnectorParameter Short(string name, string description) => new(name, "short-input", description);

    private static ConnectorParameter Long(string name, string description) => new(name, "long-input", description);

    private static ConnectorParameter Json(string name, string description) => new(name, "json", description);

    private static ConnectorParameter Choice(string name, string description, params ImmutableArray<string> options) =>
        new(name, "dropdown", description) { Options = options };

    private static ConnectorParameter Required(ConnectorParameter parameter) => parameter with { IsRequired = true };
}
