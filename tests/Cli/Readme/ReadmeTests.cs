using System.Text.RegularExpressions;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Cli.Tests.Readme;

/// <summary>What the README of the project promises.</summary>
public sealed partial class ReadmeTests
{
    private const int Attempts = 40;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Every command of the tour, in order, with the output that is shown below it.</summary>
    [Fact]
    public async Task The_tour_prints_what_it_shows()
    {
        await using var session = new TourSession();
        foreach (var (command, shown) in Commands(await ReadmeAsync()))
        {
            var difference = Transcript.Difference(shown, await session.RunAsync(command));

            // What was only read may just not have happened yet.
            for (var attempt = 1; difference is not null && IsLook(command) && attempt < Attempts; attempt++)
            {
                await Task.Delay(Pause);
                difference = Transcript.Difference(shown, await session.RunAsync(command));
            }

            Assert.True(difference is null, $"$ {command}\n{difference}");
        }
    }

    [Fact]
    public async Task Every_link_leads_somewhere()
    {
        var targets = Link().Matches(await ReadmeAsync()).Select(link => link.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(targets);
        Assert.All(targets, target => Assert.True(Path.Exists(Path.Combine(Tool.Root(), target.Split('#')[0])), target));
    }

    private static Task<string> ReadmeAsync() => File.ReadAllTextAsync(Path.Combine(Tool.Root(), "README.md"));

    private static bool IsLook(string command) => command.StartsWith("openwop runs get", StringComparison.Ordinal) || command.StartsWith("curl -s -H", StringComparison.Ordinal) && !command.Contains("--json", StringComparison.Ordinal);

    private static IEnumerable<(string Command, string Shown)> Commands(string readme)
    {
        var commands = Block().Matches(readme).SelectMany(block => Prompt().Split(block.Groups[1].Value).Where(part => part.Length > 0)).ToList();
        Assert.True(commands.Count > 15, "The tour is gone.");
        return commands.Select(part => part.Split('\n', 2)).Select(part => (part[0], part[1]));
    }

    [GeneratedRegex("```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\$ ", RegexOptions.Multiline)]
    private static partial Regex Prompt();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();
}
