using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Api;

/// <summary>Who creates a run, from the caller's token.</summary>
internal sealed record RunOwner(string Tenant, string? Principal, bool IsTest);

/// <summary>A run that exists now; <paramref name="Replayed"/> when it did before.</summary>
internal sealed record CreatedRun(string RunId, string Status, bool Replayed);

/// <summary>
/// Creates runs: checks what can be checked before there is a run, mints the id in a shard of this instance, and puts the first
/// command into a new mailbox. Answers when the run and its first events are durable.
/// </summary>
internal sealed class RunCreator(Definitions definitions, NodeTypes nodeTypes, OwnedShards shards, RunRegistry registry, RunStore store, TimeProvider clock)
{
    /// <summary>Ceiling of <c>recursionLimit</c>, and its value when a run does not say (<c>limits.maxNodeExecutions</c>).</summary>
    public const int MaxNodeExecutions = 1000;

    /// <summary>Seconds after which a claim of <c>X-Dedup: enforce</c> is worth trying again.</summary>
    private const int ScopeRetryAfterSeconds = 5;

    public async Task<CreatedRun> CreateAsync(
        CreateRunInput input, RunOwner owner, string? requestId, bool enforceScope, CancellationToken cancellationToken)
    {
        if (input.TenantId is { } tenantId && tenantId != owner.Tenant)
        {
            throw new ProtocolException(ProtocolError.Validation("The tenant does not match the credential.", "tenantId"));
        }

        if (requestId is not null && await store.FindRequestAsync(owner.Tenant, requestId, cancellationToken) is { } before)
        {
            return await ReplayAsync(before, cancellationToken);
        }

        var definition = await definitions.HeadAsync(input.WorkflowId, owner.Tenant, cancellationToken)
            ?? throw new ProtocolException(ProtocolError.Validation("The workflow does not exist.", "workflowId"));
        RequireNodeTypes(definition.Graph);
        var now = clock.GetUtcNow();
        var lease = shards.Mint(now) ?? throw new ProtocolException(RunErrors.Unavailable);
        var started = Start(lease.RunId, input, owner, definition, now);
        var command = new RunCommand.Create(started);
        registry.Open(lease, command, new RunCreation(requestId, enforceScope), definition.Graph);
        try
        {
            return new CreatedRun(lease.RunId, CreationStatus(await command.Reply), Replayed: false);
        }
        catch (RunExistsException exists) when (exists.Status == AppendStatus.DuplicateRequest)
        {
            return await ReplayAsync(exists.OtherRunId, cancellationToken);
        }
        catch (RunExistsException exists)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.RunAlreadyActive,
                "Another run of this scope is active.",
                new JsonObject { ["activeRunId"] = exists.OtherRunId, ["activeHost"] = "cloud", ["retryAfter"] = ScopeRetryAfterSeconds }));
        }
    }

    private async Task<CreatedRun> ReplayAsync(string runId, CancellationToken cancellationToken) =>
        new(runId, CreationStatus(await store.LoadStateAsync(runId, cancellationToken)), Replayed: true);

    /// <summary>The answer to a creation knows no terminal status: a run that is already over was running a moment ago.</summary>
    private static string CreationStatus(RunState state) => state.IsTerminal ? "running" : RunSnapshot.StatusOf(state);

    private void RequireNodeTypes(WorkflowGraph graph)
    {
        foreach (var node in graph.Nodes)
        {
            if (!node.Definition.Disabled && nodeTypes.Find(node.Definition.TypeId) is null)
            {
                throw new ProtocolException(new ProtocolError(
                    ErrorCodes.CapabilityRequired,
                    $"This server has no node type '{node.Definition.TypeId}'.",
                    new JsonObject { ["requiredCapability"] = node.Definition.TypeId, ["offendingTypeId"] = node.Definition.TypeId, ["nodeId"] = node.Id }));
            }
        }
    }

    private static RunStarted Start(string runId, CreateRunInput input, RunOwner owner, PinnedDefinition pinned, DateTimeOffset now)
    {
        var definition = pinned.Graph.Definition;
        var timeout = TimeoutOf(input, definition);
        return new RunStarted
        {
            RunId = runId,
            WorkflowId = definition.Id,
            Inputs = input.Inputs,
            Variables = VariablesOf(input, definition),
            SensitiveVariables = [.. definition.Variables.Where(variable => variable.Sensitive).Select(variable => variable.Name)],
            RecursionLimit = (int)Math.Min(input.Configurable.IntegerMember("recursionLimit") ?? MaxNodeExecutions, MaxNodeExecutions),
            Deadline = timeout > 0 ? now.AddMilliseconds(timeout) : null,
            TimeoutMs = timeout,
            Options = new RunOptions
            {
                Tenant = owner.Tenant,
                Principal = owner.Principal,
                IsTest = owner.IsTest,
                DefinitionOwner = pinned.Owner,
                DefinitionVersion = pinned.Version,
                Configurable = input.Configurable,
                Metadata = input.Metadata,
                Tags = input.Tags,
                ScopeId = input.ScopeId,
                CallbackUrl = input.CallbackUrl,
            },
        };
    }

    private static long TimeoutOf(CreateRunInput input, WorkflowDefinition definition)
    {
        var own = definition.Settings.TimeoutMs;
        var asked = input.Configurable.IntegerMember("runTimeoutMs") ?? 0;
        return (own, asked) switch
        {
            ( > 0, > 0) => Math.Min(own, asked),
            ( > 0, _) => own,
            _ => asked,
        };
    }

    /// <summary>Defaults, then inputs; a required variable without either, or an input of the wrong type, is refused.</summary>
    private static ImmutableSortedDictionary<string, JsonElement> VariablesOf(CreateRunInput input, WorkflowDefinition definition)
    {
        var values = RunState.EmptyValues.ToBuilder();
        foreach (var variable in definition.Variables)
        {
            if (variable.DefaultValue is { } value)
            {
                values[variable.Name] = value;
            }
        }

        if (input.Inputs.ValueKind == JsonValueKind.Object)
        {
            foreach (var value in input.Inputs.EnumerateObject())
            {
                values[value.Name] = value.Value;
            }
        }

        foreach (var variable in definition.Variables)
        {
            if (!values.TryGetValue(variable.Name, out var value))
            {
                if (variable.Required)
                {
                    throw new ProtocolException(ProtocolError.Validation($"Input '{variable.Name}' is required.", $"inputs.{variable.Name}"));
                }
            }
            else if (!HasType(value, variable.Type))
            {
                throw new ProtocolException(ProtocolError.Validation($"Input '{variable.Name}' must be of type {variable.Type}.", $"inputs.{variable.Name}"));
            }
        }

        return values.ToImmutable();
    }

    private static bool HasType(JsonElement value, string type) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => true,
    };
}
