using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.Storage;

/// <summary>One numbered SQL file.</summary>
internal sealed partial record Migration(int Version, string Name, string Sql)
{
    /// <summary>SHA-256 of the text, the same whatever line ends a checkout made of it.</summary>
    public string Checksum =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n").TrimEnd())));

    /// <summary>The migrations that an assembly embeds for a dialect, in order.</summary>
    public static IReadOnlyList<Migration> Load(Assembly assembly, SqlDialect dialect)
    {
        var folder = $".Migrations.{dialect}.";
        var migrations = assembly.GetManifestResourceNames()
            .Where(resource => resource.Contains(folder, StringComparison.Ordinal))
            .Select(resource => Read(assembly, resource, resource[(resource.LastIndexOf(folder, StringComparison.Ordinal) + folder.Length)..]))
            .OrderBy(migration => migration.Version)
            .ToArray();
        if (migrations.Length == 0)
            throw new InvalidOperationException($"{assembly.GetName().Name} embeds no migrations for {dialect}.");

        for (var i = 0; i < migrations.Length; i++)
        {
            if (migrations[i].Version != i + 1)
                throw new InvalidOperationException($"{assembly.GetName().Name}: migration {i + 1} for {dialect} is missing or double.");
        }

        return migrations;
    }

    private static Migration Read(Assembly assembly, string resource, string file)
    {
        if (FileName().Match(file) is not { Success: true } match)
            throw new InvalidOperationException($"{file} is no migration name; expected 0001_name.sql.");

        using var stream = assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var version = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return new Migration(version, Path.GetFileNameWithoutExtension(file), reader.ReadToEnd());
    }

    [GeneratedRegex(@"^(\d{4})_[a-z0-9_]+\.sql$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
