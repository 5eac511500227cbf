namespace OpenWop.Micro.Protocol.Expressions.Tests;

/// <summary>Where the sources are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory) => directory is null
        ? throw new InvalidOperationException("The tests do not run inside the repository.")
        : File.Exists(Path.Combine(directory.FullName, "OpenWop.Micro.sln")) ? directory.FullName
        : Find(directory.Parent);
}
