using System.Text.Json;

namespace OpenWop.Micro.Cli.Credentials;

/// <summary>What the tool remembers about a server.</summary>
internal sealed record ServerCredential(string Key, string? Organization, string? Name, string? Role);

/// <summary>
/// The file with keys, by default <c>~/.config/openwop/credentials.json</c>. Nobody but its owner can read it (mode 0600), and it is
/// replaced as a whole, so that a crash leaves the old one or the new one.
/// </summary>
internal sealed record CredentialFile(string? Default, Dictionary<string, ServerCredential> Servers)
{
    public const string PathVariable = "OPENWOP_CREDENTIALS";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string Path => Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path
        ? path
        : System.IO.Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "openwop", "credentials.json");

    public static CredentialFile Load()
    {
        if (!File.Exists(Path))
            return new CredentialFile(null, []);

        try
        {
            return JsonSerializer.Deserialize<CredentialFile>(File.ReadAllBytes(Path), Json) is { Servers: not null } file ? file : new CredentialFile(null, []);
        }
        catch (JsonException)
        {
            // Without the exception: its message may quote the file.
            throw new CliException(ExitCodes.Failed, $"'{Path}' is not a file of this tool. Remove it and log in again.");
        }
    }

    /// <summary>Whether somebody else can read the file.</summary>
    public static bool IsOpenToOthers => !OperatingSystem.IsWindows() && File.Exists(Path) && (File.GetUnixFileMode(Path) & ~OwnerOnly) != 0;

    public ServerCredential? Find(Uri server) => Servers.GetValueOrDefault(NameOf(server));

    public CredentialFile With(Uri server, ServerCredential credential) => new(NameOf(server), new(Servers) { [NameOf(server)] = credential });

    public CredentialFile Without(Uri server)
    {
        var rest = new Dictionary<string, ServerCredential>(Servers);
        rest.Remove(NameOf(server));
        return new CredentialFile(Default == NameOf(server) ? null : Default, rest);
    }

    public void Save()
    {
        var directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        Directory.CreateDirectory(directory);
        if (Servers.Count == 0)
        {
            File.Delete(Path);
            return;
        }

        var temporary = System.IO.Path.Combine(directory, $".credentials-{Guid.NewGuid():n}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using (var stream = new FileStream(temporary, options))
        {
            JsonSerializer.Serialize(stream, this, Json);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, Path, overwrite: true);
    }

    private static string NameOf(Uri server) => server.AbsoluteUri.TrimEnd('/');
}
