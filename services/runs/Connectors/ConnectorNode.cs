using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Connectors;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Connectors;

/// <summary>Executes the blocks of a registered connector: a node type like any other, with the effects of its calls in the ledger.</summary>
internal sealed class ConnectorNode(ConnectorRegistration registration, IServiceProvider provider) : INodeHandler
{
    private readonly Lazy<ConnectorAction> _run = new(() => registration.Make(provider));

    public string TypeId => registration.Description.Type;

    public bool IsPure => false;

    public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) =>
    [
        .. from parameter in registration.Description.Parameters
           where parameter.IsSecret && node.Config.StringMember(parameter.Name) is { Length: > 0 }
           select new SecretRequirement(node.Config.StringMember(parameter.Name)!),
    ];

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var call = new ConnectorCall
        {
            Connector = registration.Description,
            RunId = context.RunId,
            BlockId = context.Node.Id,
            Attempt = context.Attempt,
            Now = context.Now,
            Parameters = context.Node.Config.ValueKind == JsonValueKind.Object ? context.Node.Config : NodeJson.EmptyObject,
            Host = new Host(context),
            Secrets = SecretsOf(context),
        };
        try
        {
            ConnectorRules.RequireParameters(call);
            var output = await _run.Value(call, cancellationToken);
            return output.ValueKind == JsonValueKind.Object
                ? new NodeOutcome.Completed(output)
                : new NodeOutcome.Failed(new NodeError("connector_output_invalid", $"Block type '{TypeId}' gave something else than an object."));
        }
        catch (ConnectorException failure)
        {
            return new NodeOutcome.Failed(ErrorOf(failure));
        }
    }

    private ImmutableDictionary<string, string> SecretsOf(NodeContext context)
    {
        if (context.Secrets.IsEmpty)
            return context.Secrets;

        var values = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var parameter in registration.Description.Parameters)
        {
            if (parameter.IsSecret && context.Node.Config.StringMember(parameter.Name) is { } id && context.Secrets.TryGetValue(id, out var value))
                values[parameter.Name] = value;
        }

        return values.ToImmutable();
    }

    private static NodeError ErrorOf(ConnectorException failure) => new(failure.Code, failure.Message, failure.IsTransient);

    private sealed class Host(NodeContext context) : IConnectorHost
    {
        public async Task<JsonElement> RunOnceAsync(string name, Func<string, CancellationToken, Task<JsonElement>> effect, CancellationToken cancellationToken)
        {
            var result = await context.Activities!.RunOnceAsync(
                $"{context.Node.TypeId}:{name}",
                async (key, stop) =>
                {
                    try
                    {
                        return new ActivityResult(await effect(key, stop), null, Settled: true);
                    }
                    catch (ConnectorException failure)
                    {
                        return new ActivityResult(default, ErrorOf(failure), Settled: !failure.IsTransient);
                    }
                },
                cancellationToken);
            return result.Error is { } error ? throw new ConnectorException(error.Code, error.Message, error.Retryable) : result.Value;
        }

        public void Log(string level, string message) => context.Log(level, message);
    }
}
