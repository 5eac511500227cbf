using System.Text.Json;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Definitions for tests: published fixtures, and short ones of nodes in a chain.</summary>
internal static class Workflows
{
    /// <summary>Published fixtures by id.</summary>
    public static Dictionary<string, string> Fixtures(params string[] ids) =>
        ids.ToDictionary(id => id, id => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows", $"{id}.json")), StringComparer.Ordinal);

    /// <summary>A workflow of nodes that run one after another.</summary>
    /// <param name="nodes">Id, type and config of each.</param>
    /// <param name="variables">JSON array.</param>
    /// <param name="more">Further members, such as <c>"channels":{…}</c>.</param>
    public static string Chain(string id, (string Id, string TypeId, string Config)[] nodes, string variables = "[]", string? more = null)
    {
        var nodeJson = nodes.Select(node => $$$"""{"id":"{{{node.Id}}}","typeId":"{{{node.TypeId}}}","name":"{{{node.Id}}}","position":{"x":0,"y":0},"config":{{{node.Config}}},"inputs":{}}""");
        var edgeJson = nodes.Zip(nodes.Skip(1), (from, to) => $$"""{"id":"{{from.Id}}-{{to.Id}}","sourceNodeId":"{{from.Id}}","targetNodeId":"{{to.Id}}"}""");
        return $$"""
            {"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":[{{string.Join(',', nodeJson)}}],"edges":[{{string.Join(',', edgeJson)}}],
             "triggers":[],"variables":{{variables}},"metadata":{},"settings":{}{{(more is null ? "" : "," + more)}}}
            """;
    }

    public static string TypeOf(JsonElement @event) => @event.GetProperty("type").GetString()!;
}
