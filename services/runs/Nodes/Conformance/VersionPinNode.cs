using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary><c>conformance.version.pin</c>: asks for the version of a change, <c>{changeId, min, max}</c>, and outputs it.</summary>
internal sealed class VersionPinNode : INodeHandler
{
    public string TypeId => "conformance.version.pin";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var config = context.Node.Config;
        try
        {
            var version = context.GetVersion(config.StringMember("changeId") ?? "", Number(config, "min"), Number(config, "max"));
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.Object(writer => writer.WriteNumber("version", version))));
        }
        catch (ArgumentException invalid)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError(NodeParameters.InvalidCode, invalid.Message)));
        }
        catch (VersionOutOfRangeException unknown)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(unknown.ToError(context.RunId)));
        }
    }

    private static int Number(JsonElement config, string name) => config.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : 0;
}
