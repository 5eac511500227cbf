using System.Globalization;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Api;

/// <summary>
/// Starts runs for nodes: ordinary runs of the same tenant, mode and scope, with the parent recorded in them. The request id is
/// made of the parent, the node, the execution and the ordinal, so that an attempt that starts over finds its child. Depth and
/// size of a tree are bounded.
/// </summary>
internal sealed class ChildRuns(Func<RunCreator> creator, RunStore store, TimeProvider clock) : IChildRuns
{
    /// <summary>How deep runs may start runs.</summary>
    public const int MaxDepth = 16;

    /// <summary>Most runs below one run, however deep.</summary>
    public const int MaxDescendants = 5000;

    /// <summary>Tries while this instance cannot create a run: shards are moving.</summary>
    private const int MaxTries = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    public async Task<ChildStart> StartAsync(ChildOrigin origin, ChildRequest request, CancellationToken cancellationToken)
    {
        if (origin.Depth >= MaxDepth)
            return Refused("child_depth_exceeded", $"Runs may start runs {MaxDepth} levels deep.");

        if (await store.CountDescendantsAsync(origin.RootRunId, MaxDescendants, cancellationToken) >= MaxDescendants)
            return Refused("child_limit_exceeded", $"There may be {MaxDescendants} runs below one run.");

        for (var tries = 1; ; tries++)
        {
            try
            {
                var created = await creator().CreateAsync(
                    request.WorkflowId,
                    new RunOwner(origin.Tenant, origin.Principal, origin.IsTest),
                    string.Create(CultureInfo.InvariantCulture, $"child:{origin.RunId}:{origin.NodeId}:{origin.Iteration}:{origin.Ordinal}"),
                    enforceScope: false,
                    (runId, definition, now) => Start(runId, origin, request, definition, now),
                    cancellationToken);
                return new ChildStart(created.RunId, null);
            }
            catch (ProtocolException refused) when (refused.Error.Code != ErrorCodes.ServiceUnavailable)
            {
                return Refused(refused.Error.Code.Name, $"Workflow '{request.WorkflowId}' cannot be started: {refused.Error.Message}");
            }
            catch (ProtocolException) when (tries < MaxTries)
            {
                await Task.Delay(FirstPause * tries, clock, cancellationToken);
            }
        }
    }

    private static RunStarted Start(string runId, ChildOrigin origin, ChildRequest request, PinnedDefinition pinned, DateTimeOffset now)
    {
        // A variable that the mapping leaves without a value has none: its default does not count.
        var definition = pinned.Graph.Definition;
        definition = definition with
        {
            Variables = [.. definition.Variables.Select(variable => request.Unset.Contains(variable.Name) ? variable with { DefaultValue = null } : variable)],
        };
        if (RunInputs.CheckConfigurable(definition, default) is { } misfit)
            throw new ProtocolException(misfit);

        var inputs = NodeJson.Object(request.Inputs);
        var timeout = RunCreator.TimeoutOf(definition, asked: null);
        return new RunStarted
        {
            RunId = runId,
            WorkflowId = definition.Id,
            Inputs = inputs,
            Variables = RunCreator.Bind(definition, inputs),
            Channels = ChannelState.Seed(definition.Channels),
            SensitiveVariables = [.. definition.Variables.Where(variable => variable.Sensitive).Select(variable => variable.Name), .. request.SensitiveInputs],
            RecursionLimit = RunCreator.MaxNodeExecutions,
            Deadline = now.AddMilliseconds(timeout),
            TimeoutMs = timeout,
            Options = new RunOptions
            {
                Tenant = origin.Tenant,
                Principal = origin.Principal,
                IsTest = origin.IsTest,
                DefinitionOwner = pinned.Owner,
                DefinitionVersion = pinned.Version,
                ScopeId = origin.ScopeId,
                Traceparent = origin.Traceparent,
                Lineage = origin.Lineage,
                Parent = new ParentLink(origin.RunId, origin.NodeId, origin.WorkflowId, origin.Iteration, origin.RootRunId, origin.Depth + 1, request.Harvest),
            },
        };
    }

    private static ChildStart Refused(string code, string message) => new(null, new NodeError(code, message));
}
