using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.Conformance.Tests;

/// <summary>The published workflows: every one is run, or <c>docs/conformance.md</c> says why not.</summary>
[Collection(OnConformingHost.Name)]
public sealed partial class FixtureTests(ConformingHost host)
{
    private static readonly string[] Published =
        [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures"), "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_published_fixture_that_is_not_advertised_is_named_with_the_reason_and_no_other() =>
        Assert.Equal(Published.Except(host.Advertised), Named().SelectMany(Expand).Order(StringComparer.Ordinal));

    [Fact]
    public void The_document_counts_the_fixtures_as_they_are()
    {
        var text = Document();
        Assert.Contains($"{Published.Length} workflows", text, StringComparison.Ordinal);
        Assert.Contains($"{host.Advertised.Count} of them", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_advertised_fixture_had_a_run() => Assert.Empty(host.NeverRun);

    /// <summary>A name in the table, which may stand for several.</summary>
    private static IEnumerable<string> Expand(string name)
    {
        var matches = Published.Where(id => FileSystemName.MatchesSimpleExpression(name, id)).ToList();
        Assert.True(matches.Count > 0, $"There is no fixture {name}.");
        return matches;
    }

    /// <summary>The first column of the table of fixtures.</summary>
    private static IEnumerable<string> Named() => Document()
        .Split("## Fixtures")[1].Split("\n## ")[0].Split('\n')
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .SelectMany(line => Code().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value));

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return File.ReadAllText(Path.Combine(folder.FullName, "docs", "conformance.md"));
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
