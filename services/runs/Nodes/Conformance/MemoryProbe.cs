using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes.Memory;

namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary>
/// A <c>core.identity</c> of the conformance tests that remembers something and tells what it sees then (<c>config.memoryAction</c>,
/// spec/agents.md 8). In other workflows it is the echo that it is named after.
/// </summary>
internal sealed class MemoryProbe(INodeHandler echo) : INodeHandler
{
    public const string Action = "memoryAction";

    private const string Secret = "byokSecretId";

    private static readonly TimeSpan ShortLife = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongLife = TimeSpan.FromHours(1);

    public string TypeId => echo.TypeId;

    public bool IsPure => false;

    public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) =>
        node.Config.StringMember(Secret) is { Length: > 0 } id ? [new(id)] : [];

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        if (!TestWorkflows.Includes(context.WorkflowId))
            return await echo.ExecuteAsync(context, cancellationToken);

        var error = context.Node.Config.StringMember(Action) switch
        {
            "write-then-read" => await WriteThenReadAsync(context, cancellationToken),
            "ttl-probe" => await LetExpireAsync(context, cancellationToken),
            "redaction-probe" => await RememberSecretAsync(context, cancellationToken),
            "cross-tenant-probe" => await LookElsewhereAsync(context, cancellationToken),
            _ => new NodeError("config_invalid", "The action on memory is none of those that there are."),
        };
        return error is null ? await echo.ExecuteAsync(context, cancellationToken) : new NodeOutcome.Failed(error);
    }

    private static async Task<NodeError?> WriteThenReadAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var memoryRef = MemoryParameters.RefOfAgent(context);
        var (memoryId, refusal) = context.Memory.Put(memoryRef, $"Remembered by {context.RunId}.", ["conformance"], expiresAt: null);
        if (memoryId is null)
            return refusal;

        Show(context, "memoryReadback", await context.Memory.GetAsync(memoryRef, memoryId, cancellationToken));
        return null;
    }

    /// <summary>One entry that is over before it is written, one that is over before it is read, and one that lives.</summary>
    private static async Task<NodeError?> LetExpireAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var (memoryRef, now) = (MemoryParameters.RefOfAgent(context), context.Memory.Now);
        if (context.Memory.Put(memoryRef, "Never written.", [], now - LongLife).Refusal is null)
            return new NodeError("conformance_test_failure", "An entry that has expired was written.");

        var (_, refusal) = context.Memory.Put(memoryRef, "Gone soon.", [], now + ShortLife);
        if ((refusal ?? context.Memory.Put(memoryRef, "Stays.", [], now + LongLife).Refusal) is { } reason)
            return reason;

        while (context.Memory.Now <= now + ShortLife)
            await Task.Delay(ShortLife, cancellationToken);

        Show(context, "memoryList", await context.Memory.ListAsync(memoryRef, 0, null, cancellationToken));
        return null;
    }

    /// <summary>Whoever reads it finds the mark of the redactor in place of the secret.</summary>
    private static async Task<NodeError?> RememberSecretAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var memoryRef = MemoryParameters.RefOfAgent(context);
        var secret = context.Secrets.GetValueOrDefault(context.Node.Config.StringMember(Secret) ?? "");
        var (memoryId, refusal) = context.Memory.Put(memoryRef, $"The secret is {secret}.", ["conformance"], expiresAt: null);
        if (memoryId is null)
            return refusal;

        Show(context, "memoryReadback", await context.Memory.GetAsync(memoryRef, memoryId, cancellationToken));
        return null;
    }

    private static async Task<NodeError?> LookElsewhereAsync(NodeContext context, CancellationToken cancellationToken)
    {
        Show(context, "crossTenantProbe", await context.Memory.ListAsync(context.Node.Config.StringMember("probeMemoryRef"), 0, null, cancellationToken));
        return null;
    }

    private static void Show(NodeContext context, string variable, IReadOnlyList<MemoryEntry> entries) =>
        context.SetVariable(variable, NodeJson.Value(writer => MemoryParameters.Write(writer, entries)));

    private static void Show(NodeContext context, string variable, MemoryEntry? entry)
    {
        if (entry is not null)
            context.SetVariable(variable, NodeJson.Value(entry.Write));
    }
}
