using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>
/// Reads the bodies of requests. <c>null</c> stands for an absent member, members that are not known are passed over, messages name
/// members and never values.
/// </summary>
internal static class ScheduleReader
{
    public const int MaxIdLength = 128;

    public static readonly TimeSpan MinEvery = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MaxEvery = TimeSpan.FromDays(366);
    public static readonly TimeSpan MaxJitter = TimeSpan.FromHours(1);

    private const int MaxMisfires = 1000;
    private const int DefaultMisfires = 100;

    private static readonly JsonLimits Body = new(1 << 20, 64);
    private static readonly string[] Times = ["cron", "everyMs", "at"];
    private static readonly string[] OptionMembers = ["tags", "metadata", "configurable"];

    /// <exception cref="ProtocolException">The body is no object.</exception>
    public static JsonElement Open(ReadOnlyMemory<byte> utf8)
    {
        if (!StrictJson.TryParse(utf8.Span, Body, out var body, out var problem))
            throw new ProtocolException(ScheduleErrors.Body(problem.Message));

        return body.ValueKind == JsonValueKind.Object ? body : throw new ProtocolException(ScheduleErrors.Body("The body must be a JSON object."));
    }

    /// <summary>The id that a caller has chosen, or null.</summary>
    /// <exception cref="ProtocolException">It is none.</exception>
    public static string? ReadId(JsonElement body) => Find(body, "id") is not { } id ? null
        : id.ValueKind == JsonValueKind.String && IsId(id.GetString()!) ? id.GetString()
        : throw new ProtocolException(ScheduleErrors.Body($"'id' must have 1 to {MaxIdLength} characters of A-Z, a-z, 0-9, '-', '_' and '.'.", "id"));

    public static bool IsId(string text) =>
        text.Length is > 0 and <= MaxIdLength && text is not ("." or "..") && !text.AsSpan().ContainsAnyExcept(IdCharacters);

    /// <summary>What a body asks for.</summary>
    /// <exception cref="ProtocolException">What is wrong with it.</exception>
    public static ScheduleSpec Read(JsonElement body)
    {
        var zone = Zone(Text(body, "timezone", 64) ?? "UTC");
        var extended = Choice(body, "cronFormat", "standard", "standard", "extended") == "extended";
        var spec = new ScheduleSpec
        {
            WorkflowId = Text(body, "workflowId", RunOptionLimits.MaxIdLength)
                ?? throw new ProtocolException(ScheduleErrors.Body("'workflowId' is missing.", "workflowId")),
            Cron = Text(body, "cron", int.MaxValue),
            ExtendedCron = extended,
            Every = Milliseconds(body, "everyMs", MinEvery, MaxEvery),
            At = Time(body, "at"),
            Zone = zone,
            Payload = Find(body, "payload") ?? default,
            Options = Options(body),
            StartAt = Time(body, "startAt"),
            EndAt = Time(body, "endAt"),
            Enabled = Switch(body, "enabled", otherwise: true),
            Jitter = Milliseconds(body, "jitterMs", TimeSpan.Zero, MaxJitter) ?? TimeSpan.Zero,
            Misfire = Choice(body, "misfirePolicy", "skip", "skip", "fire_once", "fire_all") switch
            {
                "fire_once" => MisfirePolicy.FireOnce,
                "fire_all" => MisfirePolicy.FireAll,
                _ => MisfirePolicy.Skip,
            },
            MisfireLimit = (int)(Number(body, "misfireLimit", 1, MaxMisfires) ?? DefaultMisfires),
            Overlap = Choice(body, "overlapPolicy", "allow", "allow", "skip", "cancel_previous") switch
            {
                "skip" => OverlapPolicy.Skip,
                "cancel_previous" => OverlapPolicy.CancelPrevious,
                _ => OverlapPolicy.Allow,
            },
        };

        var kinds = (spec.Cron is null ? 0 : 1) + (spec.Every is null ? 0 : 1) + (spec.At is null ? 0 : 1);
        if (kinds != 1)
            throw new ProtocolException(ScheduleErrors.Body("Exactly one of 'cron', 'everyMs' and 'at' must be given.", "cron"));

        if (spec.Cron is not null && CronSchedule.TryParse(spec.Cron, extended, zone, out var problem) is null)
            throw new ProtocolException(ScheduleErrors.Cron(problem));

        return spec;
    }

    /// <summary>What is stored: the known members of <paramref name="body"/>, on top of what was stored before.</summary>
    /// <param name="before">The stored spec that the body changes; undefined for a new schedule.</param>
    public static byte[] Merge(JsonElement before, JsonElement body)
    {
        var hasTimes = Array.Exists(Times, member => Find(body, member) is not null);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in ScheduleSpec.Members)
            {
                // A schedule stays with its workflow, and a new kind of times replaces the old one.
                var isFixed = member == "workflowId" && before.ValueKind == JsonValueKind.Object;
                var isReplaced = hasTimes && Times.Contains(member);
                var value = !isFixed && body.TryGetProperty(member, out var given) ? given : isReplaced ? null : Find(before, member);
                if (value is { ValueKind: not JsonValueKind.Null } present)
                {
                    writer.WritePropertyName(member);
                    present.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static JsonElement? Find(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement body, string name, int maxLength) => Find(body, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= maxLength ? text
        : name switch
        {
            "timezone" => throw new ProtocolException(ScheduleErrors.Timezone()),
            _ => throw new ProtocolException(ScheduleErrors.Body($"'{name}' must be a text that is not empty.", name)),
        };

    private static string Choice(JsonElement body, string name, string otherwise, params ReadOnlySpan<string> values) =>
        Find(body, name) is not { } value ? otherwise
        : value.ValueKind == JsonValueKind.String && values.Contains(value.GetString()) ? value.GetString()!
        : throw new ProtocolException(ScheduleErrors.Body($"'{name}' must be one of: {string.Join(", ", values)}.", name));

    private static bool Switch(JsonElement body, string name, bool otherwise) => Find(body, name)?.ValueKind switch
    {
        null => otherwise,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new ProtocolException(ScheduleErrors.Body($"'{name}' must be true or false.", name)),
    };

    private static long? Number(JsonElement body, string name, long min, long max) => Find(body, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max ? number
        : throw new ProtocolException(ScheduleErrors.Body($"'{name}' must be a whole number from {min} to {max}.", name));

    private static TimeSpan? Milliseconds(JsonElement body, string name, TimeSpan min, TimeSpan max) =>
        Number(body, name, (long)min.TotalMilliseconds, (long)max.TotalMilliseconds) is { } number ? TimeSpan.FromMilliseconds(number) : null;

    private static DateTimeOffset? Time(JsonElement body, string name) => Find(body, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String && Timestamps.TryParse(value.GetString()!) is { } time ? time
        : throw new ProtocolException(ScheduleErrors.Body($"'{name}' must be an RFC 3339 time with an offset, between 1970 and 2099.", name));

    private static JsonElement Options(JsonElement body)
    {
        if (Find(body, "options") is not { } options)
            return default;

        return options.ValueKind == JsonValueKind.Object && options.EnumerateObject().All(member => OptionMembers.Contains(member.Name))
            ? options
            : throw new ProtocolException(ScheduleErrors.Body($"'options' must be an object with members of: {string.Join(", ", OptionMembers)}.", "options"));
    }

    /// <summary>Names only: a path would lead out of the zone files.</summary>
    [SuppressMessage("Globalization", "CA1307", Justification = "Characters.")]
    private static TimeZoneInfo Zone(string name) =>
        !name.Contains("..", StringComparison.Ordinal) && name[0] is not ('/' or '.') && char.IsAsciiLetter(name[0])
        && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            ? zone
            : throw new ProtocolException(ScheduleErrors.Timezone());
}
