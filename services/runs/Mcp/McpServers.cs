using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary>A server whose tools workflows may call.</summary>
/// <param name="Name">What workflows call it.</param>
/// <param name="Tools">The only tools that may be called; null = all that it has.</param>
internal sealed record McpServer(string Name, Uri Url, IReadOnlySet<string>? Tools);

/// <summary>
/// The servers that the operator has configured: a JSON array of <c>{"name", "url", "tools"?}</c>. Workflows name servers, never
/// addresses, so these may be private ones.
/// </summary>
internal sealed class McpServers
{
    public const string Setting = "OPENWOP_MCP_SERVERS";

    private static readonly JsonLimits Limits = new(64 * 1024, MaxDepth: 8);

    private McpServers(IReadOnlyList<McpServer> all) => All = all;

    public IReadOnlyList<McpServer> All { get; }

    /// <summary>The server of a name, or the first one when none is named; null when there is none.</summary>
    public McpServer? Find(string? name) => name is null ? (All.Count > 0 ? All[0] : null) : All.FirstOrDefault(server => server.Name == name);

    /// <exception cref="InvalidOperationException">The setting makes no sense.</exception>
    public static McpServers Read(IConfiguration configuration)
    {
        if (configuration[Setting] is not { Length: > 0 } text)
            return new McpServers([]);

        if (!StrictJson.TryParse(Encoding.UTF8.GetBytes(text), Limits, out var list, out _) || list.ValueKind != JsonValueKind.Array)
            throw Invalid();

        List<McpServer> servers = [.. list.EnumerateArray().Select(ReadServer)];
        return servers.Select(server => server.Name).Distinct(StringComparer.Ordinal).Count() == servers.Count ? new McpServers(servers) : throw Invalid();
    }

    private static McpServer ReadServer(JsonElement server)
    {
        if (server.StringMember("name") is not { Length: > 0 and <= 128 } name
            || !Uri.TryCreate(server.StringMember("url"), UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw Invalid();
        }

        return new McpServer(name, url, server.Member("tools") switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } tools when tools.EnumerateArray().All(tool => tool.ValueKind == JsonValueKind.String) =>
                tools.EnumerateArray().Select(tool => tool.GetString()!).ToHashSet(StringComparer.Ordinal),
            _ => throw Invalid(),
        });
    }

    private static InvalidOperationException Invalid() =>
        new($"{Setting} must be a JSON array of {{\"name\", \"url\", \"tools\"?}} with different names and http or https URLs.");
}
