namespace OpenWop.Micro.ClusterTool;

/// <summary>What a cluster consists of.</summary>
public sealed record ClusterOptions
{
    /// <summary>Processes per service, in the order in which they are started. A service whose program does not exist is left out.</summary>
    public IReadOnlyList<(string Service, int Count)> Services { get; init; } =
        [("identity", 1), ("workflows", 1), ("runs", 3), ("gateway", 2), ("webhooks", 1), ("scheduler", 1)];

    /// <summary>Folder of everything: data of the servers, logs, state of the cluster. Must not exist, or be empty.</summary>
    public required string Folder { get; init; }

    /// <summary>Which build of the programs is started.</summary>
    public string Configuration { get; init; } = "Release";

    /// <summary>More environment: <c>NAME</c> for every process, or <c>runs-2:NAME</c> for one.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public ClusterOptions With(string service, int count) => this with
    {
        Services = [.. Services.Select(entry => entry.Service == service ? (service, count) : entry)],
    };
}
