using System.Diagnostics;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance;

internal enum Verdict
{
    Passed,
    Failed,

    /// <summary>The host does not claim the family, so there is nothing to hold it to.</summary>
    NotAdvertised,
}

/// <summary>What became of a scenario.</summary>
internal sealed record Outcome(Scenario Scenario, Verdict Verdict, string? Reason, TimeSpan Elapsed)
{
    /// <summary>How often the scenario was begun in vain (<see cref="HostConnection"/>).</summary>
    public int StartedOver { get; init; }
}

/// <summary>Runs scenarios and shows what became of them.</summary>
internal static class Report
{
    /// <summary>How long a scenario may start over; and the pause before, which is the one that hosts ask for.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan StartPause = TimeSpan.FromSeconds(1);

    /// <summary>Runs all scenarios that apply, some at a time: a host has many clients at once.</summary>
    public static async Task<IReadOnlyList<Outcome>> RunAsync(Suite suite, IReadOnlyList<Scenario> scenarios, int parallelism)
    {
        var outcomes = new Outcome[scenarios.Count];
        await Parallel.ForAsync(
            0, scenarios.Count, new ParallelOptions { MaxDegreeOfParallelism = parallelism },
            async (index, _) => outcomes[index] = await RunAsync(suite, scenarios[index]));
        return outcomes;
    }

    /// <summary>The table by section, then every failure with its reason.</summary>
    public static void Print(IReadOnlyList<Outcome> outcomes, TextWriter output)
    {
        output.WriteLine($"{"Section",-34} {"passed",8} {"failed",8} {"not advertised",16}");
        foreach (var section in outcomes.GroupBy(outcome => outcome.Scenario.Section))
            WriteRow(output, section.Key, [.. section]);
        WriteRow(output, "Total", outcomes);

        foreach (var outcome in outcomes.Where(outcome => outcome.Verdict == Verdict.NotAdvertised))
            output.WriteLine($"  not advertised  {outcome.Scenario.Name} ({outcome.Scenario.Gate.Name})");
        foreach (var outcome in outcomes.Where(outcome => outcome.Verdict == Verdict.Failed))
            output.WriteLine($"  FAILED  {outcome.Scenario.Name}\n          {outcome.Reason}");
    }

    private static async Task<Outcome> RunAsync(Suite suite, Scenario scenario)
    {
        if (!scenario.Gate.IsOpen(suite))
            return new(scenario, Verdict.NotAdvertised, null, TimeSpan.Zero);

        var first = Stopwatch.GetTimestamp();
        for (var startedOver = 0; ; startedOver++)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                await scenario.Run(suite);
                return new(scenario, Verdict.Passed, null, Stopwatch.GetElapsedTime(started)) { StartedOver = startedOver };
            }
            catch (Exception exception) when (suite.StartsOver(exception) && Stopwatch.GetElapsedTime(first) < StartLimit)
            {
                await Task.Delay(StartPause);
            }
            catch (Exception exception)
            {
                // Whatever a host makes a scenario stumble over is a failure of that scenario and must not hide the others.
                var reason = exception is ConformanceException ? exception.Message : $"{exception.GetType().Name}: {exception.GetBaseException().Message}";
                return new(scenario, Verdict.Failed, reason, Stopwatch.GetElapsedTime(started)) { StartedOver = startedOver };
            }
        }
    }

    private static void WriteRow(TextWriter output, string name, IReadOnlyList<Outcome> outcomes) =>
        output.WriteLine($"{name,-34} {Count(outcomes, Verdict.Passed),8} {Count(outcomes, Verdict.Failed),8} {Count(outcomes, Verdict.NotAdvertised),16}");

    private static int Count(IReadOnlyList<Outcome> outcomes, Verdict verdict) => outcomes.Count(outcome => outcome.Verdict == verdict);
}
