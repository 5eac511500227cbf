using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Runs.Retention;

/// <summary>How long finished runs are kept.</summary>
internal sealed record RetentionOptions
{
    /// <summary>Setting: days from the end of a run to the removal of its log; 0 = for ever.</summary>
    public const string DaysSetting = "OPENWOP_RETENTION_DAYS";

    /// <summary>Setting: days for which a removed run answers 410 instead of 404.</summary>
    public const string TombstoneDaysSetting = "OPENWOP_RETENTION_TOMBSTONE_DAYS";

    /// <summary>Setting: folder into which each run is written before it is removed; absent = runs are removed without a copy.</summary>
    public const string ArchiveSetting = "OPENWOP_RETENTION_ARCHIVE";

    private const int DefaultDays = 7;
    private const int DefaultTombstoneDays = 30;
    private const int MaxDays = 36_500;

    /// <summary>Null = runs are kept for ever.</summary>
    public TimeSpan? Age { get; init; } = TimeSpan.FromDays(DefaultDays);

    public TimeSpan TombstoneAge { get; init; } = TimeSpan.FromDays(DefaultTombstoneDays);

    public string? ArchiveFolder { get; init; }

    public static RetentionOptions Read(IConfiguration configuration)
    {
        var days = configuration.Number(DaysSetting, DefaultDays, min: 0, MaxDays);
        return new()
        {
            Age = days == 0 ? null : TimeSpan.FromDays(days),
            TombstoneAge = TimeSpan.FromDays(configuration.Number(TombstoneDaysSetting, DefaultTombstoneDays, min: 0, MaxDays)),
            ArchiveFolder = configuration[ArchiveSetting] is { Length: > 0 } folder ? Path.GetFullPath(folder) : null,
        };
    }
}
