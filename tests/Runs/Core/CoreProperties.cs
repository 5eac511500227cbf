using CsCheck;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Core;

/// <summary>
/// What holds for every run of every workflow under every interleaving. A failure prints the seed; pass it as
/// <c>CsCheck_Seed</c> to repeat it.
/// </summary>
public sealed class CoreProperties
{
    private static readonly Gen<(OpenWop.Micro.Protocol.Workflows.WorkflowDefinition Definition, int Seed)> Case = Gen.Select(RandomWorkflows.Any, Gen.Int);

    [Fact]
    public void Every_run_ends_with_one_terminal_event_that_is_last() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            Assert.True(simulation.Play(withCrashes: true, withCancel: true), simulation.Describe());
            return simulation.Stored.Count(stored => EventTypes.IsTerminal(stored.Type)) == 1
                && EventTypes.IsTerminal(simulation.Stored[^1].Type);
        },
        iter: 2000);

    [Fact]
    public void Sequences_count_from_zero_without_gaps() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: true, withCancel: true);
            return simulation.Stored.Select((stored, index) => stored.Sequence == index).All(matches => matches);
        },
        iter: 500);

    [Fact]
    public void Every_started_node_ends_before_the_run_does() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: true, withCancel: true);
            return simulation.State.Nodes.Values.All(node => node.IsSettled);
        },
        iter: 1000);

    [Fact]
    public void A_completed_run_has_decided_every_node_unless_one_has_ended_it() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: false, withCancel: false);
            Assert.True(
                simulation.State.Status != RunStatus.Completed || simulation.State.IsEnding || simulation.State.Nodes.Count == run.Definition.Nodes.Length,
                simulation.Describe());
        },
        iter: 1000);

    [Fact]
    public void Folding_a_stored_prefix_and_then_the_rest_equals_folding_all() => Gen.Select(Case, Gen.Double.Unit).Sample(
        (run, cut) =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: true, withCancel: true);
            var split = (int)(cut * simulation.Stored.Count);
            var prefix = Fold.ApplyAll(RunState.Empty, simulation.Stored.Take(split).Select(Simulation.Decode));
            var stored = OpenWop.Micro.Runs.Log.StateCodec.Decode(OpenWop.Micro.Runs.Log.StateCodec.Encode(prefix).Span)!;
            var all = Fold.ApplyAll(stored, simulation.Stored.Skip(split).Select(Simulation.Decode));
            Assert.Equal(Simulation.Print(simulation.State), Simulation.Print(all));
        },
        iter: 1000);

    [Fact]
    public void Repeated_commands_decide_nothing() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: false, withCancel: true);
            return simulation.EventsOfRepeatedCommands() == 0;
        },
        iter: 500);

    [Fact]
    public void No_two_executions_of_a_node_have_the_same_number() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: false, withCancel: false);
            var starts = simulation.Events.Select(@event => @event.Body).OfType<NodeStarted>().Select(started => (started.Node, started.Iteration, started.Attempt)).ToList();
            return starts.Distinct().Count() == starts.Count;
        },
        iter: 1000);

    [Fact]
    public void No_child_goes_on_that_nobody_waits_for() => Case.Sample(
        run =>
        {
            var simulation = new Simulation(run.Seed, run.Definition);
            simulation.Play(withCrashes: true, withCancel: true);
            var recorded = simulation.State.Children.Where(child => child.Value.IsOver).Select(child => child.Key).ToHashSet();
            return simulation.DeliverAll()
                && simulation.ChildRunIds.All(child => recorded.Contains(child) || simulation.EndedChildren.Contains(child));
        },
        iter: 1000);

    [Fact]
    public void No_run_starts_more_nodes_than_its_limit() => Gen.Select(Case, Gen.Int[1, 6]).Sample(
        (run, limit) =>
        {
            var simulation = new Simulation(run.Seed, run.Definition, limit);
            simulation.Play(withCrashes: true, withCancel: false);
            var starts = simulation.Stored.Count(stored => stored.Type == EventTypes.NodeStarted);
            var breaches = simulation.Stored.Count(stored => stored.Type == EventTypes.CapBreached);
            return starts <= limit && (breaches == 0 || (breaches == 1 && simulation.State.Error?.Code == "recursion_limit_exceeded"));
        },
        iter: 1000);
}
