using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Tests.Core;

/// <summary>
/// Drives one run through the functional core alone, with chance as the outside world: which attempt ends next, what it
/// comes to, when time passes, when the process dies. Everything follows from the seed.
/// </summary>
internal sealed class Simulation
{
    public const string RunId = "run-simulated";
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random random;
    private readonly RunDriver driver;
    private readonly List<NodeWork> inFlight = [];

    /// <summary>Reports of children that have not been decided on, and those that have: either may arrive (again) at any time.</summary>
    private readonly List<RunSignal> reports = [];
    private readonly List<RunSignal> oldReports = [];
    private readonly ChanceChildren childRuns;
    private readonly SortedSet<string> children = new(StringComparer.Ordinal);
    private DateTimeOffset now = Epoch;

    public Simulation(int seed, WorkflowDefinition definition, int recursionLimit = 1000)
    {
        random = new Random(seed);
        Graph = new WorkflowGraph(definition);
        childRuns = new ChanceChildren(this);
        driver = new RunDriver(Graph, NodeTypes(seed));
        Decide(draft => draft.Add(new RunStarted
        {
            RunId = RunId,
            WorkflowId = definition.Id,
            Inputs = JsonElement.Parse("{}"),
            Variables = RunState.EmptyValues,
            RecursionLimit = recursionLimit,
            Options = new RunOptions { Tenant = "t", DefinitionOwner = "t", DefinitionVersion = 1 },
        }));
    }

    /// <summary>The node types of a seed.</summary>
    /// <param name="effect">Called when a node with outside effects is executed.</param>
    public static NodeTypes NodeTypes(int seed, Action? effect = null) => new(
    [
        new ChanceNode("test.pure", seed, effect: null), new ChanceNode("test.effect", seed, effect ?? (() => { })), new WaitNode(), new AskNode(), new ParentNode(), new FanNode(),
    ]);

    public WorkflowGraph Graph { get; }

    /// <summary>Children that were told to end, and those that are over.</summary>
    public SortedSet<string> EndedChildren { get; } = new(StringComparer.Ordinal);

    /// <summary>Children that exist.</summary>
    public IReadOnlySet<string> ChildRunIds => children;
    public RunState State { get; private set; } = RunState.Empty;
    public List<RunEvent> Events { get; } = [];
    public List<EncodedEvent> Stored { get; } = [];

    /// <summary>Plays until the run is over; false when it got stuck.</summary>
    public bool Play(bool withCrashes, bool withCancel)
    {
        for (var step = 0; step < 20_000; step++)
        {
            if (State.IsTerminal)
            {
                return true;
            }

            var choice = random.Next(100);
            if (withCrashes && choice < 10)
            {
                Crash();
            }
            else if (withCancel && choice == 99)
            {
                Decide(draft => Decisions.Cancel(draft, "chance", "test"));
            }
            else if (withCancel && choice == 98)
            {
                Decide(draft => PauseDecisions.Request(draft, "chance", random.Next(2) == 0 ? PauseDecisions.Drain : PauseDecisions.Immediate));
            }
            else if (State.Status == RunStatus.Paused)
            {
                Decide(draft => PauseDecisions.Resume(draft, null));
            }
            else if (State.WaitingFor is { } waiting && (choice < 50 || State.NextDue is null))
            {
                var answer = new Answer(JsonElement.Parse("""{"answer":1}"""), "somebody", ByToken: false);
                Decide(draft => InterruptDecisions.Resolve(draft, waiting.NodeId, answer));
            }
            else if (reports.Count > 0 && (choice < 70 || (inFlight.Count == 0 && State.NextDue is null)))
            {
                Deliver(withRepetition: choice < 10);
            }
            else if (inFlight.Count > 0 && (choice < 80 || State.NextDue is null))
            {
                FinishOne(twice: choice < 20);
            }
            else if (State.NextDue is { } due)
            {
                now = due;
                Decide(_ => { });
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>Commands that have been decided already must decide nothing when they are repeated.</summary>
    public int EventsOfRepeatedCommands()
    {
        var before = Events.Count;
        Decide(draft => Decisions.Cancel(draft, "again", "test"));
        foreach (var node in Graph.Nodes)
        {
            Decide(draft => Decisions.NodeFinished(draft, Graph, new NodeResult(node.Id, 0, 0, new NodeOutcome.Completed(JsonElement.Parse("{}")))));
        }

        return Events.Count - before;
    }

    /// <summary>The graph and the log, for the message of a failed property.</summary>
    public string Describe() => string.Join('\n',
    [
        .. Graph.Nodes.Select(node => $"{node.Id} {node.Definition.TypeId}"),
        .. Graph.Nodes.SelectMany(node => node.Outgoing).Select(edge => $"{edge.Source.Id} -{edge.Rule}:{edge.Definition.SourceOutput}{(edge.IsBackEdge ? ":back" : "")}-> {edge.Target.Id}"),
        .. Stored.Select(stored => $"{stored.Sequence} {stored.Type} {Decode(stored).Body.NodeId}"),
    ]);

    private void FinishOne(bool twice)
    {
        var work = inFlight[random.Next(inFlight.Count)];
        inFlight.Remove(work);
        now = now.AddMilliseconds(random.Next(1, 50));
        work.Context.ChildRuns = childRuns;
        var outcome = work.Handler.ExecuteAsync(work.Context, CancellationToken.None).AsTask();
        var result = NodeResult.Of(work.Context, outcome.GetAwaiter().GetResult());
        Decide(draft => Decisions.NodeFinished(draft, Graph, result));
        if (twice)
        {
            Decide(draft => Decisions.NodeFinished(draft, Graph, result));
        }
    }

    /// <summary>A report arrives; what cannot be decided yet stays, as it does in the outbox.</summary>
    private void Deliver(bool withRepetition)
    {
        var from = withRepetition && oldReports.Count > 0 ? oldReports : reports;
        var report = from[random.Next(from.Count)];
        var decided = false;
        Decide(draft => decided = ChildDecisions.Receive(draft, report));
        if (decided && reports.Remove(report))
            oldReports.Add(report);
    }

    /// <summary>All reports that are left arrive.</summary>
    public bool DeliverAll()
    {
        while (reports.Count > 0)
        {
            var left = reports.Count;
            Deliver(withRepetition: false);
            if (reports.Count == left)
                return false;
        }

        return true;
    }

    /// <summary>The process dies: what was in memory is gone, the log is read back, attempts in the middle start over.</summary>
    private void Crash()
    {
        inFlight.Clear();
        State = Fold.ApplyAll(RunState.Empty, Stored.Select(Decode));
        foreach (var (nodeId, node) in State.Nodes)
        {
            if (node.Status == NodeStatus.Running)
            {
                inFlight.Add(driver.Resume(State, RunId, nodeId)!);
            }
        }

        Decide(_ => { });
    }

    private void Decide(Action<Draft> decide)
    {
        bool moreToDo;
        do
        {
            var draft = new Draft(State, now);
            decide(draft);
            decide = _ => { };
            (var work, moreToDo) = driver.AdvanceAsync(draft, RunId, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Events.AddRange(draft.Events);
            EndedChildren.UnionWith(SignalRules.Of(State, draft.State).Concat(draft.Signals).OfType<RunSignal.Cancel>().Select(signal => signal.Target));
            Stored.AddRange(draft.Events.Select(@event => EventCodec.Encode(RunId, @event)));
            State = draft.State;
            inFlight.AddRange(work.Where(item => State.Nodes.GetValueOrDefault(item.Context.Node.Id)?.Status == NodeStatus.Running));
        }
        while (moreToDo);

        // As the mailbox does: what the state says runs, and nobody executes, is started. So a node whose next child is over by the time it
        // waits for it goes on although a pause has been asked for.
        if (State.Status == RunStatus.Running)
            inFlight.AddRange(State.Nodes.Where(node => node.Value.Status == NodeStatus.Running && !IsInFlight(node.Key, node.Value)).Select(node => driver.Resume(State, RunId, node.Key)!));
    }

    private bool IsInFlight(string nodeId, NodeState node) => inFlight.Any(item =>
        item.Context.Node.Id == nodeId && (item.Context.Attempt, item.Context.Iteration, item.Context.Turn) == (node.Attempt, node.Iteration, node.Turn));

    public static RunEvent Decode(EncodedEvent stored) => EventCodec.Decode(stored);

    public static string Print(RunState state) => Encoding.UTF8.GetString(StateCodec.Encode(state).Span);

    /// <summary>Completes, fails or asks for another attempt as the seed, the node, the attempt and the iteration say.</summary>
    private sealed class ChanceNode(string typeId, int seed, Action? effect) : INodeHandler
    {
        public string TypeId => typeId;
        public bool IsPure => effect is null;

        public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
        {
            effect?.Invoke();
            var chance = new Random(HashOf(seed, context.Node.Id, context.Attempt, context.Iteration)).Next(100);
            if (chance % 3 == 0)
                context.Log("info", $"{context.Node.Id} at {context.Now:O}");

            if (chance % 4 == 0)
                context.SetVariable("v", JsonElement.Parse($"{chance}"));

            NodeOutcome outcome = chance switch
            {
                < 10 => new NodeOutcome.Failed(new NodeError("final", "chance")),
                < 30 => new NodeOutcome.Failed(new NodeError("transient", "chance", Retryable: true)),
                30 => new NodeOutcome.Cancelled("chance"),
                < 34 => new NodeOutcome.Completed(JsonElement.Parse("""{"x":1}"""), []) { EndsRun = true },
                < 60 => new NodeOutcome.Completed(JsonElement.Parse("""{"x":1}"""), ["left"]),
                _ => new NodeOutcome.Completed(JsonElement.Parse("""{"output":{"y":[1,2]}}""")),
            };
            return ValueTask.FromResult(outcome);
        }

        private static int HashOf(int seed, string nodeId, int attempt, int iteration) =>
            nodeId.Aggregate((seed * 31) + attempt, (hash, letter) => (hash * 31) + letter) + (iteration * 7919);
    }

    /// <summary>Starts up to two children one after the other and completes with what they came to.</summary>
    private sealed class ParentNode : INodeHandler
    {
        public string TypeId => "test.child";
        public bool IsPure => false;

        public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
        {
            if (context.ChildResults.Length > context.Iteration % 2)
                return new NodeOutcome.Completed(JsonElement.Parse("{}"));

            if (context.ChildResults is [{ Status: not "completed" }, ..])
                return new NodeOutcome.Failed(new NodeError("child_failed", "chance"));

            context.SetVariable("started", JsonSerializer.SerializeToElement(context.ChildResults.Length));
            var start = await context.StartChildAsync(new ChildRequest("child"), cancellationToken);
            return new NodeOutcome.WaitingForChild(start.RunId!);
        }
    }

    /// <summary>Starts four children, two of them at a time, and waits for them in the order of their starts.</summary>
    private sealed class FanNode : INodeHandler
    {
        public string TypeId => "test.fan";
        public bool IsPure => false;

        public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
        {
            List<string> started = [.. context.Children.Select(child => child.RunId)];
            for (var oldest = 0; oldest < 4; oldest++)
            {
                while (started.Count < Math.Min(4, oldest + 2))
                    started.Add((await context.StartChildAsync(new ChildRequest("child") { EndsWithNode = true }, cancellationToken)).RunId!);

                if (oldest >= context.Children.Length || context.Children[oldest].Result is not { } result)
                    return new NodeOutcome.WaitingForChild(started[oldest]);

                if (result.Status == "failed")
                    return new NodeOutcome.Failed(new NodeError("child_failed", "chance"));
            }

            return new NodeOutcome.Completed(JsonElement.Parse("{}"));
        }
    }

    /// <summary>Children whose whole life is decided when they start: two reports, in the outbox from then on.</summary>
    private sealed class ChanceChildren(Simulation simulation) : IChildRuns
    {
        public Task<ChildStart> StartAsync(ChildOrigin origin, ChildRequest request, CancellationToken cancellationToken)
        {
            var runId = $"child-{origin.NodeId}-{origin.Iteration}-{origin.Ordinal}";
            if (!simulation.children.Add(runId))
                return Task.FromResult(new ChildStart(runId, null));

            var status = simulation.random.Next(4) switch { 0 => "failed", 1 => "cancelled", _ => "completed" };
            simulation.reports.Add(new RunSignal.ChildReport(RunId, runId, 3, origin.NodeId, origin.Iteration, "waiting-approval", null) { IsFirst = true });
            simulation.reports.Add(new RunSignal.ChildReport(RunId, runId, 9, origin.NodeId, origin.Iteration, status, new ChildResult(runId, request.WorkflowId, status)));
            return Task.FromResult(new ChildStart(runId, null));
        }
    }

    private sealed class AskNode : INodeHandler
    {
        public string TypeId => "test.ask";
        public bool IsPure => true;

        public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
        {
            var key = context.InterruptKey(0);
            return ValueTask.FromResult<NodeOutcome>(context.Resolved.TryGetValue(key, out var answer)
                ? new NodeOutcome.Completed(answer)
                : new NodeOutcome.Suspended(new Interrupt(InterruptKinds.Custom, key, JsonElement.Parse("""{"customKind":"x"}"""), null, context.Iteration % 2 == 0 ? 500 : null)));
        }
    }

    private sealed class WaitNode : INodeHandler
    {
        public string TypeId => "test.wait";
        public bool IsPure => true;

        public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Delayed(context.Now.AddSeconds(1), JsonElement.Parse("""{"waited":true}""")));
    }
}
