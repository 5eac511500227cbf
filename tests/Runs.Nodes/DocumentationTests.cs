using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed partial class DocumentationTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "nodes.md"));

    [Fact]
    public void Every_node_type_has_a_heading()
    {
        var registered = new ServiceCollection().AddBuiltInNodes()
            .Where(service => service.ServiceType == typeof(INodeHandler))
            .Select(service => service.ImplementationType!);
        var headings = string.Concat(Document.Split('\n').Where(line => line.StartsWith("### ", StringComparison.Ordinal)));

        Assert.All(registered, type => Assert.Contains($"`{TypeIdOf(type)}`", headings, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_example_is_a_node_of_a_known_type()
    {
        var examples = Example().Matches(Document).Select(match => JsonElement.Parse(match.Groups[1].Value)).ToList();

        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.Contains($"`{example.GetProperty("typeId").GetString()}`", Document, StringComparison.Ordinal));
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    private static string TypeIdOf(Type handler) =>
        ((INodeHandler)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(handler)).TypeId;

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "OpenWop.Micro.sln")))
        {
            directory = directory.Parent;
        }

        return directory.FullName;
    }
}
