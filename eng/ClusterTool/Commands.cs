using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.ClusterTool;

/// <summary>The command line.</summary>
internal static class Commands
{
    private const string Usage = """
        Starts an installation of many processes on this machine, with a PostgreSQL and a Redis of its own.

          eng/cluster up [--gateways 2] [--runs 3] [--identities 1] [--workflows 1] [--webhooks 1] [--schedulers 1]
                         [--set NAME=VALUE] [--set runs-2:NAME=VALUE] [--configuration Release] [--json]
          eng/cluster status [--json]
          eng/cluster kill|term|stop|cont|restart NAME     (NAME as in status: runs-2, gateway-1, redis)
          eng/cluster postgres stop|crash|start
          eng/cluster down

        --folder PATH   where data, logs and state are; default: openwop-cluster below the system's temporary folder
        """;

    private static readonly Dictionary<string, string> Counts = new(StringComparer.Ordinal)
    {
        ["--gateways"] = "gateway",
        ["--runs"] = "runs",
        ["--identities"] = "identity",
        ["--workflows"] = "workflows",
        ["--webhooks"] = "webhooks",
        ["--schedulers"] = "scheduler",
    };

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var (words, options, json) = Parse(args);
            switch (words)
            {
                case ["up"]:
                    Print(await LocalCluster.UpAsync(options), json);
                    return 0;
                case ["status"]:
                    Print(LocalCluster.Open(options.Folder), json);
                    return 0;
                case ["kill", var name]:
                    await LocalCluster.Open(options.Folder)[name].KillAsync();
                    return 0;
                case ["term", var name]:
                    await LocalCluster.Open(options.Folder).TerminateAsync(name);
                    return 0;
                case ["stop" or "cont", var name]:
                    await LocalCluster.Open(options.Folder)[name].SignalAsync(words[0].ToUpperInvariant());
                    return 0;
                case ["restart", var name]:
                    await LocalCluster.Open(options.Folder).RestartAsync(name);
                    return 0;
                case ["postgres", "start"]:
                    await LocalCluster.Open(options.Folder).Postgres.StartAsync();
                    return 0;
                case ["postgres", "stop" or "crash"]:
                    await LocalCluster.Open(options.Folder).Postgres.StopAsync(words[1] == "stop" ? "fast" : "immediate");
                    return 0;
                case ["down"]:
                    await LocalCluster.Open(options.Folder).DownAsync();
                    return 0;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or TimeoutException or FormatException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private static (List<string> Words, ClusterOptions Options, bool Json) Parse(string[] args)
    {
        var words = new List<string>();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var options = new ClusterOptions { Folder = Path.Combine(Path.GetTempPath(), "openwop-cluster"), Settings = settings };
        var json = false;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json")
                json = true;
            else if (args[i] == "--folder")
                options = options with { Folder = Value() };
            else if (args[i] == "--configuration")
                options = options with { Configuration = Value() };
            else if (args[i] == "--set" && Value().Split('=', 2) is [var name, var value])
                settings[name] = value;
            else if (Counts.TryGetValue(args[i], out var service))
                options = options.With(service, int.Parse(Value(), NumberStyles.None, CultureInfo.InvariantCulture));
            else if (args[i].StartsWith('-'))
                throw new ArgumentException($"'{args[i]}' is no option.\n{Usage}");
            else
                words.Add(args[i]);

            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value.");
        }

        return (words, options, json);
    }

    private static void Print(LocalCluster cluster, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    Key = LocalCluster.Key,
                    Postgres = cluster.Postgres.ConnectionString,
                    Processes = cluster.Members.Select(member => new { member.Name, member.Service, member.Url, member.ProcessId, Alive = member.IsAlive, member.Log }),
                },
                Format));
            return;
        }

        Console.WriteLine("key        " + LocalCluster.Key);
        Console.WriteLine("postgres   " + cluster.Postgres.ConnectionString);
        foreach (var member in cluster.Members)
            Console.WriteLine($"{member.Name,-12} {member.Url,-24} {(member.IsAlive ? member.ProcessId.ToString(CultureInfo.InvariantCulture) : "dead"),-8} {member.Log}");
    }
}
