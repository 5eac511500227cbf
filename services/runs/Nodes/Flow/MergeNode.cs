using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.merge</c>: joins branches. When it may run is decided by the trigger rules of its edges; it collects the input
/// ports that have a value. <c>mode</c>: <c>object</c> (default) keeps them by name, <c>array</c> lists them in the order
/// the definition declares the ports, <c>first</c> takes the first of that order.
/// </summary>
internal sealed class MergeNode : INodeHandler
{
    public string TypeId => "core.merge";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        // Only the config says how: a port named "mode" is a branch like any other.
        var parameters = new NodeParameters(context);
        var mode = parameters.FindConfig("mode");
        var merged = mode switch
        {
            null => AsObject(context),
            { ValueKind: JsonValueKind.String } text when text.ValueEquals("object") => AsObject(context),
            { ValueKind: JsonValueKind.String } text when text.ValueEquals("array") => AsArray(context),
            { ValueKind: JsonValueKind.String } text when text.ValueEquals("first") => First(context),
            _ => (JsonElement?)null,
        };
        if (merged is null)
        {
            parameters.Reject("mode", "must be one of object, array, first");
        }

        return ValueTask.FromResult(parameters.HasFailed(out var failed) ? failed : new NodeOutcome.Completed(WithOutput(merged!.Value)));
    }

    private static JsonElement AsObject(NodeContext context) => NodeJson.Object(context.Inputs);

    private static JsonElement AsArray(NodeContext context) => NodeJson.Value(writer =>
    {
        writer.WriteStartArray();
        foreach (var value in InDeclaredOrder(context))
        {
            value.WriteTo(writer);
        }

        writer.WriteEndArray();
    });

    private static JsonElement First(NodeContext context) => InDeclaredOrder(context).FirstOrDefault(NodeJson.Null);

    private static IEnumerable<JsonElement> InDeclaredOrder(NodeContext context)
    {
        foreach (var (name, _) in context.Node.Inputs)
        {
            if (context.Inputs.TryGetValue(name, out var value))
            {
                yield return value;
            }
        }
    }

    private static JsonElement WithOutput(JsonElement merged) => NodeJson.Object([KeyValuePair.Create("output", merged)]);
}
