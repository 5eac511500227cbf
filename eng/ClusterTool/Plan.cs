using System.Globalization;
using System.Security.Cryptography;

namespace OpenWop.Micro.ClusterTool;

/// <summary>Which processes a cluster has, and what each of them is told.</summary>
internal static class Plan
{
    public static IReadOnlyList<Member> Of(ClusterOptions options, string folder, PostgreSql postgres, string redis)
    {
        var root = FindRoot();
        var planned = options.Services
            .Select(entry => (entry.Service, entry.Count, Program: ProgramOf(root, entry.Service, options.Configuration)))
            .Where(entry => entry.Count > 0 && entry.Program is not null)
            .SelectMany(entry => Enumerable.Range(1, entry.Count).Select(number =>
                (Name: string.Create(CultureInfo.InvariantCulture, $"{entry.Service}-{number}"), entry.Service, Program: entry.Program!, Url: $"http://127.0.0.1:{Ports.Next()}")))
            .ToList();

        var common = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["OPENWOP_POSTGRES"] = postgres.ConnectionString,
            ["OPENWOP_REDIS"] = redis,
            ["OPENWOP_SERVICE_SECRET"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(32)),
            ["OPENWOP_KEYS_FILE"] = WriteKeys(folder),
            ["OPENWOP_LOG_FORMAT"] = "simple",
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        };
        foreach (var service in planned.GroupBy(member => member.Service))
            common[$"OPENWOP_{service.Key.ToUpperInvariant()}_URL"] = string.Join(',', service.Select(member => member.Url));

        return [.. planned.Select(member => new Member
        {
            Name = member.Name,
            Service = member.Service,
            Url = member.Url,
            Log = Path.Combine(folder, member.Name + ".log"),
            Command = ["dotnet", member.Program, "--urls", member.Url, "--data", Directory.CreateDirectory(Path.Combine(folder, "data", member.Name)).FullName],
            Environment = EnvironmentOf(member.Name, common, options.Settings),
        })];
    }

    private static Dictionary<string, string> EnvironmentOf(string name, Dictionary<string, string> common, IReadOnlyDictionary<string, string> settings)
    {
        var environment = new Dictionary<string, string>(common, StringComparer.Ordinal);
        foreach (var (setting, value) in settings.OrderBy(setting => setting.Key.Contains(':', StringComparison.Ordinal)))
        {
            var colon = setting.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || setting[..colon] == name)
                environment[setting[(colon + 1)..]] = value;
        }

        return environment;
    }

    private static string WriteKeys(string folder)
    {
        var path = Path.Combine(folder, "keys.json");
        File.WriteAllText(path, $$"""
            [{"key":"{{LocalCluster.Key}}","tenant":"cluster","scopes":["*"]},
             {"key":"{{LocalCluster.ReaderKey}}","tenant":"cluster","scopes":["runs:read"]},
             {"key":"{{LocalCluster.OtherTenantKey}}","tenant":"other","scopes":["*"]}]
            """);
        return path;
    }

    /// <summary>The built program of a service; null when the project does not exist.</summary>
    private static string? ProgramOf(string root, string service, string configuration)
    {
        var project = Path.Combine(root, "services", service);
        if (!File.Exists(Path.Combine(project, "Program.cs")))
            return null;

        var assembly = "OpenWop.Micro." + char.ToUpperInvariant(service[0]) + service[1..] + ".dll";
        var program = Path.Combine(project, "bin", configuration, "net10.0", assembly);
        return File.Exists(program) ? program : throw new InvalidOperationException($"{program} does not exist: dotnet build -c {configuration}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tool runs outside of the repository.");
    }
}
