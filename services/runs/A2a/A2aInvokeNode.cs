using System.Text.Json;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Mcp;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Nodes.Conformance;

namespace OpenWop.Micro.Runs.A2a;

/// <summary>
/// <c>core.a2a.invoke</c>: gives a task to the configured peer and waits for its end (spec/agents.md 14).
/// <list type="number">
/// <item>The card is read; it says which skills there are and where they are called.</item>
/// <item><c>message/send</c>, once per execution: the activity ledger keeps the task, a later attempt goes on with it.</item>
/// <item><c>tasks/get</c> with growing pauses until the task is over or needs somebody. Pauses are timers and hold no slot.</item>
/// <item>A task that needs input, or a credential, suspends the node; the answer is sent into the task, and so on from 3.</item>
/// </list>
/// </summary>
internal sealed class A2aInvokeNode(A2aPeer peer, TimeProvider clock) : INodeHandler
{
    private const int DefaultTimeoutMs = 10 * 60 * 1000;
    private const int MaxTimeoutMs = 24 * 60 * 60 * 1000;

    /// <summary>Questions of a peer within one execution.</summary>
    private const int MaxQuestions = 32;

    /// <summary>Polls in a row that may fail.</summary>
    private const int MaxFailures = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    public string TypeId => "core.a2a.invoke";

    public bool IsPure => false;

    public bool WaitsForOthers => true;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var skill = parameters.RequiredString("skill");
        var message = parameters.String("message");
        var timeout = parameters.Integer("timeoutMs", 1, MaxTimeoutMs, DefaultTimeoutMs);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(timeout), clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var card = await peer.CardAsync(linked.Token);
            return HasSkill(card, skill)
                ? await FollowAsync(context, card, skill, message ?? skill, linked.Token)
                : new NodeOutcome.Failed(new NodeError("a2a_skill_not_found", $"The peer has no skill '{skill}'."));
        }
        catch (A2aException exception)
        {
            return new NodeOutcome.Failed(exception.Error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new NodeOutcome.Failed(new NodeError("a2a_timeout", $"The task was not over within {timeout} ms."));
        }
    }

    private async Task<NodeOutcome> FollowAsync(NodeContext context, JsonElement card, string skill, string message, CancellationToken cancellationToken)
    {
        var agent = card.StringMember("name") ?? "peer";
        var task = await SendAsync(context, card, skill, taskId: null, writer => WriteText(writer, message), cancellationToken);
        for (var question = 0; question < MaxQuestions; question++)
        {
            task = await WaitAsync(card, task, cancellationToken);
            if (task.State is not (A2aTask.InputRequired or A2aTask.AuthRequired))
                return End(task, agent);

            var key = context.InterruptKey(question);
            if (!context.Resolved.TryGetValue(key, out var answer))
                return new NodeOutcome.Suspended(Question(task, agent, key));

            task = await SendAsync(context, card, skill, task.Id, writer => WriteData(writer, answer), cancellationToken);
        }

        return new NodeOutcome.Failed(new NodeError("a2a_too_many_questions", $"The peer has asked more than {MaxQuestions} times."));
    }

    private static NodeOutcome End(A2aTask task, string agent) => task.State switch
    {
        A2aTask.Completed => new NodeOutcome.Completed(task.ToOutputs(agent)),
        A2aTask.Rejected => Failed("rejected_by_remote", "The peer has rejected the task.", task, agent),
        A2aTask.Canceled => new NodeOutcome.Cancelled("cancelled_by_remote"),
        _ => Failed("external_call_failed", "The task of the peer has failed.", task, agent),
    };

    private static NodeOutcome.Failed Failed(string code, string message, A2aTask task, string agent) => new(new NodeError(
        code, message, Retryable: false, NodeJson.Object(writer => writer.WriteString("text", Untrusted.Wrap("agent", agent, Shortened(task.Text()))))));

    /// <summary>Whoever answers sees what the peer has said, marked as a stranger's words.</summary>
    private static Interrupt Question(A2aTask task, string agent, string key) => new(InterruptKinds.Custom, key, NodeJson.Object(writer =>
    {
        writer.WriteString("customKind", $"a2a.{task.State}");
        writer.WriteStartObject("payload");
        writer.WriteString("text", Untrusted.Wrap("agent", agent, Shortened(task.Text())));
        if (task.Id is not null)
            writer.WriteString("taskId", task.Id);

        if (task.State == A2aTask.AuthRequired)
        {
            writer.WriteStartObject("metadata");
            writer.WriteString("subkind", "auth");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }));

    private static string Shortened(string text) => text.Length > 4000 ? text[..4000] : text;

    private async Task<A2aTask> SendAsync(
        NodeContext context, JsonElement card, string skill, string? taskId, Action<Utf8JsonWriter> writePart, CancellationToken cancellationToken)
    {
        var result = await context.Activities!.RunOnceAsync(
            $"a2a:{skill}",
            async (identity, cancelled) =>
            {
                try
                {
                    var sent = await peer.CallAsync(card, "message/send", identity, writer => WriteMessage(writer, context, skill, taskId, identity, writePart), cancelled);
                    return new ActivityResult(sent, null, Settled: true);
                }
                catch (A2aException exception)
                {
                    return new ActivityResult(default, exception.Error, Settled: !exception.Error.Retryable);
                }
            },
            cancellationToken);
        return result.Error is { } error ? throw new A2aException(error.Code, error.Message, error.Retryable) : A2aTask.Read(result.Value);
    }

    /// <summary>3. Asks until the task is over or needs somebody.</summary>
    private async Task<A2aTask> WaitAsync(JsonElement card, A2aTask task, CancellationToken cancellationToken)
    {
        var (pause, failures, polls) = (FirstPause, 0, 0);

        // What the ledger has kept may be long past: a task is asked for once at least.
        while (task.Id is { } id && (polls == 0 || !task.IsSettled))
        {
            if (polls > 0 || !task.IsSettled)
                await Task.Delay(pause, clock, cancellationToken);

            try
            {
                task = A2aTask.Read(await peer.CallAsync(card, "tasks/get", $"get-{id}-{polls}", writer => writer.WriteString("id", id), cancellationToken));
                failures = 0;
            }
            catch (A2aException exception) when (polls == 0 && task.IsSettled && !exception.Error.Retryable)
            {
                // A peer that does not remember tasks that are over has said all with its first answer.
                return task;
            }
            catch (A2aException exception) when (exception.Error.Retryable && ++failures < MaxFailures)
            {
                // Asked again after a pause.
            }

            polls++;
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        return task;
    }

    private static void WriteMessage(Utf8JsonWriter writer, NodeContext context, string skill, string? taskId, string identity, Action<Utf8JsonWriter> writePart)
    {
        writer.WriteStartObject("message");
        writer.WriteString("kind", "message");
        writer.WriteString("role", "user");
        writer.WriteString("messageId", identity);
        if (taskId is not null)
            writer.WriteString("taskId", taskId);

        writer.WriteStartArray("parts");
        writePart(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartObject("configuration");
        writer.WriteBoolean("blocking", false);
        writer.WriteEndObject();
        writer.WriteStartObject("metadata");
        writer.WriteString("skill", skill);
        if (TestWorkflows.Includes(context.WorkflowId) && context.Variables.TryGetValue("driftScenario", out var scenario))
        {
            writer.WritePropertyName("driftScenario");
            scenario.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string text)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", "text");
        writer.WriteString("text", text);
        writer.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter writer, JsonElement answer)
    {
        if (answer.ValueKind == JsonValueKind.String)
        {
            WriteText(writer, answer.GetString()!);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("kind", "data");
        writer.WritePropertyName("data");
        answer.WriteTo(writer);
        writer.WriteEndObject();
    }

    /// <summary>A card without skills may still know the one that is asked for.</summary>
    private static bool HasSkill(JsonElement card, string skill) =>
        card.Member("skills") is not { ValueKind: JsonValueKind.Array } skills
        || skills.GetArrayLength() == 0
        || skills.EnumerateArray().Any(item => item.StringMember("id") == skill);
}
