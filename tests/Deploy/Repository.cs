using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace OpenWop.Micro.Deploy.Tests;

/// <summary>The files of the repository that say how the product is deployed.</summary>
internal static partial class Repository
{
    public static readonly string Root = FindRoot();

    /// <summary>Services that run in processes of their own.</summary>
    public static IReadOnlyList<string> Services { get; } = [.. Directory.GetDirectories(Path.Combine(Root, "services"))
        .Where(folder => File.Exists(Path.Combine(folder, "Program.cs")))
        .Select(folder => Path.GetFileName(folder))
        .Except(["standalone", "console"])
        .Order(StringComparer.Ordinal)];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>All YAML files of the deployment, relative to the root.</summary>
    public static IEnumerable<string> YamlFiles() =>
        Directory.GetFiles(Path.Combine(Root, "deploy"), "*.yaml", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path))
            .Append("docker-compose.yml");

    /// <summary>The documents of a YAML file.</summary>
    public static List<YamlMappingNode> Documents(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Read(path)));
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>Settings that the code or its documentation knows.</summary>
    public static HashSet<string> KnownSettings() =>
        [.. SettingName().Matches(Read("docs/configuration.md")).Select(match => match.Value)];

    /// <summary>What the Dockerfile sets for every container.</summary>
    public static Dictionary<string, string> ImageEnvironment()
    {
        var assignments = EnvInstruction().Match(Read("Dockerfile")).Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal);
        return assignments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);
    }

    public static YamlNode? At(this YamlNode node, params string[] path)
    {
        var current = node;
        foreach (var name in path)
        {
            if (current is not YamlMappingNode mapping || !mapping.Children.TryGetValue(new YamlScalarNode(name), out var next))
                return null;

            current = next;
        }

        return current;
    }

    public static string? Text(this YamlNode node, params string[] path) => (node.At(path) as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> Items(this YamlNode node, params string[] path) => node.At(path) is YamlSequenceNode list ? list.Children : [];

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    [GeneratedRegex("OPENWOP_[A-Z_]+")]
    internal static partial Regex SettingName();

    [GeneratedRegex(@"^ENV ((?:.*\\\n)*.*)$", RegexOptions.Multiline)]
    private static partial Regex EnvInstruction();

}
