using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Ai;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Api;

/// <summary>Who creates a run, from the caller's token.</summary>
internal sealed record RunOwner(string Tenant, string? Principal, bool IsTest);

/// <summary>What a service says has led to the run that it asks for.</summary>
/// <param name="CausationId">The delivery; null = it has none.</param>
/// <param name="Lineage">Triggers, oldest first.</param>
internal sealed record RunCause(string? CausationId, ImmutableArray<string> Lineage)
{
    public const int MaxIdLength = 128;
    public const int MaxLineage = 64;

    public static RunCause None { get; } = new(null, []);
}

/// <summary>A run that exists now; <paramref name="Replayed"/> when it did before.</summary>
internal sealed record CreatedRun(string RunId, string Status, bool Replayed);

/// <summary>
/// Creates runs: checks what can be checked before there is a run, mints the id in a shard of this instance, and puts the first
/// command into a new mailbox. Answers when the run and its first events are durable.
/// </summary>
internal sealed class RunCreator(Definitions definitions, NodeTypes nodeTypes, OwnedShards shards, RunRegistry registry, RunStore store, TimeProvider clock, AiProviders providers)
{
    /// <summary>Ceiling of <c>recursionLimit</c>, and its value when a run does not say (<c>limits.maxNodeExecutions</c>).</summary>
    public const int MaxNodeExecutions = 1000;

    /// <summary>Longest life of a run (<c>limits.maxRunDurationMs</c>): 30 days.</summary>
    public const long MaxRunDurationMs = 30L * 24 * 60 * 60 * 1000;

    private static readonly RunOptionPolicy Policy = new()
    {
        MaxNodeExecutions = MaxNodeExecutions,
        MaxRunDurationMs = MaxRunDurationMs,
        LaterKeys = [ReservedOptions.RunTimeoutMs],
        MockProviders = MockProviders.Ids,
    };

    /// <summary>What this server honours for callers of a mode.</summary>
    internal RunOptionPolicy PolicyFor(bool isTest) => Policy with
    {
        IsTestKey = isTest,
        AiProviders = providers.All.Count > 0 ? [.. providers.All.Select(provider => provider.Id)] : null,
        ByokProviders = providers.All.Count > 0 ? [.. providers.Byok.Select(provider => provider.Id)] : null,
    };

    /// <summary>Seconds after which a claim of <c>X-Dedup: enforce</c> is worth trying again.</summary>
    private const int ScopeRetryAfterSeconds = 5;

    public async Task<CreatedRun> CreateAsync(
        ReadOnlyMemory<byte> body, RunOwner owner, string? requestId, bool enforceScope, int? engineVersion, string? traceparent, string transport, RunCause cause, CancellationToken cancellationToken)
    {
        if (engineVersion is { } forced && !EngineVersions.IsSupported(forced))
            throw new ProtocolException(RunErrors.UnsupportedEngine(forced));

        if (!CreateRunBody.TryParse(body.Span, PolicyFor(owner.IsTest), out var input, out var error))
            throw new ProtocolException(error);

        return await CreateAsync(
            input.WorkflowId, owner, requestId, enforceScope, (runId, definition, now) => Start(runId, input, owner, definition, now, engineVersion ?? EngineVersions.Current, traceparent, transport, cause), cancellationToken);
    }

    /// <summary>Creates a run of a workflow's head, unless the request has made one before.</summary>
    /// <param name="start">The first event of the run with this id, or a refusal as exception.</param>
    public async Task<CreatedRun> CreateAsync(
        string workflowId,
        RunOwner owner,
        string? requestId,
        bool enforceScope,
        Func<string, PinnedDefinition, DateTimeOffset, RunStarted> start,
        CancellationToken cancellationToken)
    {
        if (requestId is not null && await store.FindRequestAsync(owner.Tenant, requestId, cancellationToken) is { } before)
        {
            return await ReplayAsync(before, cancellationToken);
        }

        var definition = await definitions.HeadAsync(workflowId, owner.Tenant, owner.IsTest, cancellationToken)
            ?? throw new ProtocolException(ProtocolError.Validation("The workflow does not exist.", "workflowId"));
        RequireNodeTypes(definition.Graph);
        var now = clock.GetUtcNow();
        var lease = shards.Mint(now) ?? throw new RunMovedException();
        var command = new RunCommand.Create(start(lease.RunId, definition, now));
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
            if (node.Definition.Agent?.Member("channel") is not null)
            {
                throw new ProtocolException(ProtocolError.Validation(
                    $"Node '{node.Id}' refers to an agent by deployment channel, and this server has no deployments of agents.", "workflowId"));
            }

            if (!node.Definition.Disabled && nodeTypes.Find(node.Definition.TypeId) is null)
            {
                throw new ProtocolException(new ProtocolError(
                    ErrorCodes.CapabilityRequired,
                    $"This server has no node type '{node.Definition.TypeId}'.",
                    new JsonObject { ["requiredCapability"] = ReservedNodeTypes.RequiredCapability(node.Definition.TypeId), ["offendingTypeId"] = node.Definition.TypeId, ["nodeId"] = node.Id }));
            }
        }
    }

    private static RunStarted Start(string runId, CreateRunBody input, RunOwner owner, PinnedDefinition pinned, DateTimeOffset now, int engineVersion, string? traceparent, string transport, RunCause cause)
    {
        var definition = pinned.Graph.Definition;
        if (RunInputs.CheckConfigurable(definition, input.Options.Configurable) is { } misfit)
            throw new ProtocolException(misfit);

        var variables = Bind(definition, input.Inputs);
        var timeout = TimeoutOf(definition, input.Options.RunTimeoutMs);
        return new RunStarted
        {
            RunId = runId,
            WorkflowId = definition.Id,
            Inputs = input.Inputs,
            Variables = variables,
            Channels = ChannelState.Seed(definition.Channels),
            SensitiveVariables = [.. definition.Variables.Where(variable => variable.Sensitive).Select(variable => variable.Name)],
            RecursionLimit = input.Options.RecursionLimit,
            Deadline = now.AddMilliseconds(timeout),
            TimeoutMs = timeout,
            Options = new RunOptions
            {
                Tenant = owner.Tenant,
                Principal = owner.Principal,
                IsTest = owner.IsTest,
                DefinitionOwner = pinned.Owner,
                DefinitionVersion = pinned.Version,
                Configurable = Given(input.Options.Configurable),
                Metadata = Given(input.Options.Metadata),
                Tags = input.Options.Tags,
                ScopeId = input.ScopeId,
                CallbackUrl = input.CallbackUrl,
                EngineVersion = engineVersion,
                Traceparent = traceparent,
                Transport = transport,
                CausationId = cause.CausationId,
                Lineage = cause.Lineage,
            },
        };
    }

    /// <summary>The variables that a run starts with.</summary>
    internal static ImmutableSortedDictionary<string, JsonElement> Bind(WorkflowDefinition definition, JsonElement inputs)
    {
        if (!RunInputs.TryBind(definition, inputs, out var variables, out var error))
            throw new ProtocolException(error);

        return definition.Channels is { } channels && variables.Keys.FirstOrDefault(channels.ContainsKey) is { } taken
            ? throw new ProtocolException(ProtocolError.Validation($"'{taken}' is a channel of the workflow and cannot be set like a variable.", $"inputs.{taken}"))
            : variables;
    }

    /// <summary>An empty object says as much as none, which is how it is stored and shown.</summary>
    internal static JsonElement Given(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.EnumerateObject().MoveNext() ? value : default;

    /// <summary>The workflow's own limit, the one asked for, and this server's: the shortest holds.</summary>
    internal static long TimeoutOf(WorkflowDefinition definition, long? asked)
    {
        var limit = Math.Min(asked ?? MaxRunDurationMs, MaxRunDurationMs);
        return definition.Settings.TimeoutMs is > 0 and var own ? Math.Min(own, limit) : limit;
    }
}
