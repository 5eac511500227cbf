using System.Text.Json;
using CsCheck;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Core;

/// <summary>What holds for the replay of every run from everywhere.</summary>
public sealed class ReplayProperties
{
    private static readonly Gen<(WorkflowDefinition Definition, int Seed, double Cut)> Case = Gen.Select(RandomWorkflows.Any, Gen.Int, Gen.Double.Unit);

    [Fact]
    public void A_replay_from_anywhere_writes_the_log_of_its_source_and_executes_no_effect() => Case.Sample(
        run =>
        {
            var source = Play(run.Definition, run.Seed);
            var replay = new Replay(source, run.Seed, (long)(run.Cut * source.Stored.Count));
            replay.Play();
            Assert.Equal(0, replay.Effects);
            Assert.Equal(Normalized(source.Stored), Normalized(replay.Stored));
            Assert.DoesNotContain(replay.Stored.Skip((int)(run.Cut * source.Stored.Count)), stored => stored.Type == EventTypes.ReplayDiverged);
            Assert.Equal(source.State.Status, replay.State.Status);
            Assert.Equal(source.State.Variables.Select(Text), replay.State.Variables.Select(Text));
        },
        iter: 3000);

    [Fact]
    public void A_replay_that_is_interrupted_goes_on_as_if_it_had_not_been() => Case.Sample(
        run =>
        {
            var source = Play(run.Definition, run.Seed);
            var boundary = (long)(run.Cut * source.Stored.Count);
            var straight = new Replay(source, run.Seed, boundary);
            straight.Play();
            var interrupted = new Replay(source, run.Seed, boundary);
            interrupted.Play(forget: new Random(run.Seed));
            foreach (var (expected, actual) in Normalized(straight.Stored).Zip(Normalized(interrupted.Stored)))
                Assert.Equal(expected, actual);

            Assert.Equal(straight.Stored.Count, interrupted.Stored.Count);
        },
        iter: 1000);

    [Fact]
    public void A_replay_of_other_nodes_ends_and_says_once_where_it_diverges() => Case.Sample(
        run =>
        {
            var source = Play(run.Definition, run.Seed);
            var replay = new Replay(source, run.Seed + 1, (long)(run.Cut * source.Stored.Count));
            replay.Play();
            Assert.True(EventTypes.IsTerminal(replay.Stored[^1].Type) || replay.State.WaitingFor is not null, replay.Describe());
            var remarks = replay.Stored.Count(stored => stored.Type == EventTypes.ReplayDiverged);
            Assert.Equal(Normalized(source.Stored).SequenceEqual(Normalized(replay.Stored)) ? 0 : 1, remarks);
        },
        iter: 1000);

    private static Simulation Play(WorkflowDefinition definition, int seed)
    {
        var source = new Simulation(seed, definition, recursionLimit: 40);
        Assert.True(source.Play(withCrashes: true, withCancel: true), source.Describe());
        return source;
    }

    private static string Text(KeyValuePair<string, JsonElement> value) => $"{value.Key}={value.Value.GetRawText()}";

    /// <summary>Type, node and payload of the events that count, without what is new in every run.</summary>
    private static List<string> Normalized(IEnumerable<EncodedEvent> log) =>
    [
        .. log.Where(stored => ReplaySource.Counts(Simulation.Decode(stored).Body)).Select(stored =>
        {
            var document = JsonElement.Parse(stored.Document.Span);
            var members = document.GetProperty("payload").EnumerateObject().Where(member => member.Name is not ("interruptId" or "durationMs"));
            return $"{stored.Type} {document.StringMember("nodeId")} {string.Join(',', members)}";
        }),
    ];

    /// <summary>A replay in the core alone, as the forker and the mailbox would do it.</summary>
    private sealed class Replay
    {
        private const string RunId = "run-replay";
        private readonly Simulation source;
        private readonly int seed;
        private readonly long boundary;

        public Replay(Simulation source, int seed, long boundary)
        {
            this.source = source;
            this.seed = seed;
            this.boundary = boundary;
            var history = ForkedLog.Copy([.. source.Stored.Take((int)Math.Max(1, boundary))], Simulation.RunId, RunId, started => started with
            {
                RunId = RunId,
                Origin = new RunOrigin(Simulation.RunId, boundary, ForkMode.Replay),
            });
            Stored = [.. history];
            State = Fold.ApplyAll(RunState.Empty, Stored.Select(Simulation.Decode));
        }

        public List<EncodedEvent> Stored { get; }

        public RunState State { get; private set; }

        public int Effects { get; private set; }

        /// <param name="forget">Set to lose what is in memory, and the draft that was not written yet, every now and then.</param>
        public void Play(Random? forget = null)
        {
            var driver = Load();
            for (var turn = 0; turn < 200; turn++)
            {
                var draft = driver.NewDraft(State, new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(turn));
                var (work, moreToDo) = driver.AdvanceAsync(draft, RunId, CancellationToken.None).AsTask().GetAwaiter().GetResult();
                Assert.Empty(work);
                if (forget?.Next(2) == 0)
                {
                    driver = Load();
                    continue;
                }

                Stored.AddRange(draft.Events.Select(@event => EventCodec.Encode(RunId, @event)));
                State = draft.State;
                if (!moreToDo)
                    return;
            }
        }

        public string Describe() => string.Join(
            '\n',
            [source.Describe(), $"replay from {boundary}:", .. Stored.Select(stored => $"{stored.Sequence} {stored.Type} {Simulation.Decode(stored).Body.NodeId}")]);

        private ReplayDriver Load()
        {
            var recorded = new ReplaySource(Simulation.RunId, source.Stored.Select(Simulation.Decode));
            var progress = new ReplayProgress(recorded, RunId, boundary, Stored.Select(Simulation.Decode));
            return new ReplayDriver(source.Graph, Simulation.NodeTypes(seed, () => Effects++), recorded, progress);
        }
    }
}
