using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary>
/// <c>conformance.secret.echo</c>: resolves the secret <c>secretId</c> and says its SHA-256 and its length in bytes, never the value. Only in
/// workflows of the conformance tests.
/// </summary>
internal sealed class SecretEchoNode : INodeHandler
{
    public string TypeId => "conformance.secret.echo";

    public bool IsPure => false;

    public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) =>
        node.Config.StringMember("secretId") is { Length: > 0 } id ? [new(id)] : [];

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        if (!TestWorkflows.Includes(context.WorkflowId))
            return ValueTask.FromResult<NodeOutcome>(TestWorkflows.Refusal(context));

        var parameters = new NodeParameters(context);
        var secretId = parameters.RequiredString("secretId");
        if (parameters.HasFailed(out var invalid))
            return ValueTask.FromResult(invalid);

        if (!context.Secrets.TryGetValue(secretId, out var secret))
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError(NodeParameters.InvalidCode, "'secretId' must stand in the config.")));

        var value = Encoding.UTF8.GetBytes(secret);
        var outputs = NodeJson.Object(writer =>
        {
            writer.WriteString("secretSha256", Convert.ToHexStringLower(SHA256.HashData(value)));
            writer.WriteNumber("secretLength", value.Length);
        });
        context.SetVariable(context.Node.Id, outputs);
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(outputs));
    }
}
