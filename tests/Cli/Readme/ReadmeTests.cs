using System.Text.RegularExpressions;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Cli.Tests.Readme;

/// <summary>What the documents show of the tool.</summary>
public sealed partial class ReadmeTests
{
    private const int Attempts = 40;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Every command of a document, in order, with the output that is shown below it.</summary>
    [Theory]
    [InlineData("README.md", 20)]
    [InlineData("docs/cli.md", 6)]
    public async Task Commands_print_what_is_shown(string document, int count)
    {
        await using var session = new TourSession();
        var commands = Commands(await ReadAsync(document));
        Assert.True(commands.Count >= count, $"{document} shows {commands.Count} commands.");
        foreach (var (command, shown) in commands)
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

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/cli.md")]
    public async Task Every_link_leads_somewhere(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Tool.Root(), document))!;
        var targets = Link().Matches(await ReadAsync(document)).Select(link => link.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(targets);
        Assert.All(targets, target => Assert.True(Path.Exists(Path.Combine(folder, target.Split('#')[0])), target));
    }

    private static Task<string> ReadAsync(string document) => File.ReadAllTextAsync(Path.Combine(Tool.Root(), document));

    private static bool IsLook(string command) => command.StartsWith("openwop runs get", StringComparison.Ordinal) || command.StartsWith("curl -s -H", StringComparison.Ordinal) && !command.Contains("--json", StringComparison.Ordinal);

    private static List<(string Command, string Shown)> Commands(string document) =>
        [.. Block().Matches(document).SelectMany(block => Prompt().Split(block.Groups[1].Value)).Where(part => part.Length > 0).Select(part => part.Split('\n', 2)).Select(part => (part[0], part[1]))];

    [GeneratedRegex("```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\$ ", RegexOptions.Multiline)]
    private static partial Regex Prompt();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();
}
