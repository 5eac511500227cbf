using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary><c>for_each</c>: runs a workflow for every item of a list and collects what the runs give, in the order of the list.</summary>
internal sealed class ForEachBlock : INodeHandler
{
    /// <summary>Longest list: each item is a run of its own.</summary>
    public const int MaxItems = NodeContext.MaxChildren;

    private const int MaxConcurrency = 50;
    private const int MaxAttempts = 5;

    public string TypeId => "for_each";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var workflowId = parameters.RequiredString("workflowId");
        var input = parameters.Object("input") ?? NodeJson.EmptyObject;
        var concurrency = (int)parameters.Integer("concurrency", 1, MaxConcurrency, 1);
        var attempts = (int)parameters.Integer("attempts", 1, MaxAttempts, 1);
        var goesOn = parameters.OneOf("onError", "fail", "continue") == "continue";
        if (parameters.Find("items") is not { ValueKind: JsonValueKind.Array } items)
        {
            parameters.Reject("items", "must be a list");
            return new NodeOutcome.Failed(parameters.Error!);
        }

        if (parameters.HasFailed(out var invalid))
            return invalid;

        return items.GetArrayLength() is > MaxItems and var count
            ? new NodeOutcome.Failed(new NodeError("loop_limit_exceeded", $"The list has {count} items, and a loop may have {MaxItems}."))
            : await new ItemRuns(context, workflowId, input, [.. items.EnumerateArray()]) { Concurrency = concurrency, Attempts = attempts, GoesOn = goesOn }
                .GoOnAsync(cancellationToken);
    }
}

/// <summary>
/// The runs of a list's items. Each turn passes the list from its beginning, by rules that look at nothing but what is recorded, and so
/// finds every child that earlier turns have started where it was started:
/// <list type="number">
/// <item>items are started in order, as long as fewer than <see cref="Concurrency"/> are under way;</item>
/// <item>the block waits for the oldest of these, whatever the others do: the order of their ends is chance, and changes nothing;</item>
/// <item>an item that failed is started again while it has attempts left;</item>
/// <item>then it fails the block, which ends the items under way, or counts among the errors.</item>
/// </list>
/// </summary>
internal sealed class ItemRuns(NodeContext context, string workflowId, JsonElement input, ImmutableArray<JsonElement> items)
{
    private readonly LinkedList<ItemRun> _underWay = new();
    private readonly ChildResult?[] _ended = new ChildResult?[items.Length];
    private int _started;
    private NodeError? _error;

    private sealed record ItemRun(int Index, int Attempt, string RunId, ChildResult? Result);

    public required int Concurrency { get; init; }

    /// <summary>Runs per item at most.</summary>
    public required int Attempts { get; init; }

    /// <summary>True when an item that failed does not fail the block.</summary>
    public required bool GoesOn { get; init; }

    public async Task<NodeOutcome> GoOnAsync(CancellationToken cancellationToken)
    {
        for (var next = 0; ;)
        {
            // 1.
            while (_underWay.Count < Concurrency && next < items.Length && await StartAsync(next, attempt: 1, cancellationToken) is { } started)
            {
                _underWay.AddLast(started);
                next++;
            }

            if (_error is not null)
                return new NodeOutcome.Failed(_error);
            if (_underWay.First is not { Value: var oldest })
                return new NodeOutcome.Completed(Outputs());

            // 2.
            if (oldest.Result is not { } result)
                return new NodeOutcome.WaitingForChild(oldest.RunId);

            _underWay.RemoveFirst();
            if (result.Status == "completed" || (oldest.Attempt == Attempts && GoesOn))
            {
                _ended[oldest.Index] = result;
            }
            else if (oldest.Attempt < Attempts)
            {
                // 3.
                if (await StartAsync(oldest.Index, oldest.Attempt + 1, cancellationToken) is { } again)
                    _underWay.AddFirst(again);
            }
            else
            {
                // 4.
                return Failure(oldest.Index, result);
            }
        }
    }

    /// <summary>The next child in the order of starts: one that exists, or a new one.</summary>
    private async Task<ItemRun?> StartAsync(int index, int attempt, CancellationToken cancellationToken)
    {
        if (_started < context.Children.Length)
        {
            var known = context.Children[_started++];
            return new ItemRun(index, attempt, known.RunId, known.Result);
        }

        _started++;
        var start = await context.StartChildAsync(
            new ChildRequest(workflowId) { Inputs = InputsOf(index), EndsWithNode = true, Item = new ChildItem(index, attempt) }, cancellationToken);
        _error = start.Error;
        return start.RunId is { } runId ? new ItemRun(index, attempt, runId, null) : null;
    }

    private ImmutableSortedDictionary<string, JsonElement> InputsOf(int index)
    {
        var inputs = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in input.EnumerateObject())
            inputs[member.Name] = member.Value;

        inputs["item"] = items[index];
        inputs["index"] = NodeJson.Value(writer => writer.WriteNumberValue(index));
        inputs["count"] = NodeJson.Value(writer => writer.WriteNumberValue(items.Length));
        return inputs.ToImmutable();
    }

    private JsonElement Outputs() => NodeJson.Object(writer =>
    {
        writer.WriteStartArray("results");
        foreach (var ended in _ended)
        {
            if (ended is { Status: "completed", Outputs: var outputs } && outputs.IsDefined())
                outputs.WriteTo(writer);
            else
                writer.WriteNullValue();
        }

        writer.WriteEndArray();
        writer.WriteNumber("count", items.Length);
        writer.WriteNumber("failed", _ended.Count(IsFailed));
        writer.WriteStartArray("errors");
        for (var index = 0; index < _ended.Length; index++)
        {
            if (!IsFailed(_ended[index]))
                continue;

            writer.WriteStartObject();
            WriteError(writer, index, _ended[index]!);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private static bool IsFailed(ChildResult? result) => result is { Status: not "completed" };

    private static NodeOutcome.Failed Failure(int index, ChildResult result) => new(new NodeError(
        "item_failed",
        $"Item {index} failed: {MessageOf(result)}",
        Retryable: false,
        NodeJson.Object(writer => WriteError(writer, index, result))));

    private static void WriteError(Utf8JsonWriter writer, int index, ChildResult result)
    {
        writer.WriteNumber("index", index);
        writer.WriteString("runId", result.RunId);
        writer.WriteString("code", result.Error?.Code ?? "child_cancelled");
        writer.WriteString("message", MessageOf(result));
    }

    private static string MessageOf(ChildResult result) => result.Error?.Message ?? $"Its run was {result.Status}.";
}
