namespace OpenWop.Micro.Cli.Hosting;

/// <summary>Where the server's program is: <c>$OPENWOP_HOST</c>, packed beside the tool, or built in the repository that the tool was built in.</summary>
internal static class HostFiles
{
    public const string PathVariable = "OPENWOP_HOST";

    private const string Program = "OpenWop.Micro.Standalone.dll";

    /// <summary>The program, or null when it is nowhere.</summary>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } configured)
            return File.Exists(configured) ? configured : null;

        var packed = Path.Combine(AppContext.BaseDirectory, "host", Program);
        return File.Exists(packed) ? packed : FindInRepository();
    }

    private static string? FindInRepository()
    {
        // …/cli/bin/<configuration>/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        for (var folder = output; folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
                continue;

            var bin = Path.Combine(folder.FullName, "services", "standalone", "bin");
            return new[] { output.Parent?.Name, "Release", "Debug" }
                .OfType<string>()
                .Select(configuration => Path.Combine(bin, configuration, output.Name, Program))
                .FirstOrDefault(File.Exists);
        }

        return null;
    }
}
