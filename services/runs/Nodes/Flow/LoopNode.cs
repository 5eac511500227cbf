using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.loop</c>: the head of a loop. Each time the engine comes to it, first from outside and then along the back edge of
/// its body, it goes on with the port <c>body</c> or ends with the port <c>done</c>. <c>mode</c> is <c>count</c>,
/// <c>items</c> or <c>while</c>, or follows from which of these parameters is given. More rounds than <c>maxIterations</c>
/// (default 100, at most 10,000) fail with <c>loop_limit_exceeded</c>: for <c>count</c> and <c>items</c> before the first round,
/// because then nothing has been done yet.
/// </summary>
/// <remarks>
/// Only the index is kept between rounds. The list is read anew each time, so that its size is not stored once per round;
/// a loop whose body shortens its own list ends earlier.
/// </remarks>
internal sealed class LoopNode : INodeHandler
{
    private const int DefaultMaxIterations = 100;
    private const int MaxMaxIterations = 10_000;

    public string TypeId => "core.loop";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var limit = (int)parameters.Integer("maxIterations", 1, MaxMaxIterations, DefaultMaxIterations);
        var index = IndexOf(context);
        return ValueTask.FromResult(ModeOf(parameters) switch
        {
            "count" => Count(parameters, index, limit),
            "items" => Items(parameters, index, limit),
            "while" => While(context, parameters, index, limit),
            _ => Refuse(parameters, "mode", "must be one of count, items, while"),
        });
    }

    private static int IndexOf(NodeContext context) =>
        context.LoopState is { ValueKind: JsonValueKind.Object } state
        && state.TryGetProperty("index", out var member)
        && member.TryGetInt32(out var index) ? index : 0;

    private static string? ModeOf(NodeParameters parameters) =>
        parameters.ConfigString("mode")
        ?? (parameters.Find("items") is not null ? "items"
            : parameters.Find("count") is not null ? "count"
            : ConditionOf(parameters) is not null ? "while"
            : null);

    private static string? ConditionOf(NodeParameters parameters) => parameters.ConfigString("while") ?? parameters.ConfigString("expression");

    private static NodeOutcome Count(NodeParameters parameters, int index, int limit)
    {
        if (parameters.Find("count") is null)
        {
            parameters.Reject("count", "must be given");
        }

        var count = parameters.Integer("count", 0, int.MaxValue, 0);
        return parameters.HasFailed(out var failed) ? failed
            : count > limit ? LimitExceeded(limit, count)
            : index < count ? Round(index, writer => writer.WriteNumber("count", count))
            : Done(index);
    }

    private static NodeOutcome Items(NodeParameters parameters, int index, int limit)
    {
        var items = parameters.Find("items");
        if (items is not { ValueKind: JsonValueKind.Array } list)
        {
            return Refuse(parameters, "items", "must be a list, as input port or config member");
        }

        var count = list.GetArrayLength();
        return parameters.HasFailed(out var failed) ? failed
            : count > limit ? LimitExceeded(limit, count)
            : index >= count ? Done(index)
            : Round(index, writer =>
            {
                writer.WritePropertyName("item");
                list[index].WriteTo(writer);
                writer.WriteNumber("count", count);
            });
    }

    private static NodeOutcome While(NodeContext context, NodeParameters parameters, int index, int limit)
    {
        if (ConditionOf(parameters) is not { } condition)
        {
            return Refuse(parameters, "while", "must be an expression in the config");
        }

        if (parameters.HasFailed(out var failed))
        {
            return failed;
        }

        var scope = NodeExpressions.Scope(context).Add("index", NodeJson.Value(writer => writer.WriteNumberValue(index)));
        return NodeExpressions.EvaluateCondition(condition, scope, $"'while' of node '{context.Node.Id}'", out var error) switch
        {
            null => new NodeOutcome.Failed(error!),
            false => Done(index),
            true when index >= limit => LimitExceeded(limit, index + 1L),
            true => Round(index, _ => { }),
        };
    }

    private static NodeOutcome.Completed Round(int index, Action<Utf8JsonWriter> more) => new(
        NodeJson.Object(writer =>
        {
            writer.WriteNumber("index", index);
            more(writer);
        }),
        ["body"])
    {
        LoopState = NodeJson.Object(writer => writer.WriteNumber("index", index + 1)),
    };

    /// <summary>Without a state: when an outer loop comes here again, this one begins anew.</summary>
    private static NodeOutcome.Completed Done(int iterations) =>
        new(NodeJson.Object(writer => writer.WriteNumber("iterations", iterations)), ["done"]);

    private static NodeOutcome.Failed LimitExceeded(int limit, long requested) => new(new NodeError(
        "loop_limit_exceeded",
        $"The loop needs {requested} iterations or more and may have {limit}.",
        Retryable: false,
        NodeJson.Object(writer =>
        {
            writer.WriteNumber("limit", limit);
            writer.WriteNumber("requested", requested);
        })));

    private static NodeOutcome.Failed Refuse(NodeParameters parameters, string name, string problem)
    {
        parameters.Reject(name, problem);
        return new NodeOutcome.Failed(parameters.Error!);
    }
}
