using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Schedules;

/// <summary>A workflow that runs at certain times.</summary>
public sealed record Schedule
{
    /// <summary>Chosen by the server unless given.</summary>
    public string? Id { get; init; }

    public required string WorkflowId { get; init; }

    /// <summary>Five fields.</summary>
    public required string Cron { get; init; }

    /// <summary>An IANA name; the server's default is UTC.</summary>
    public string? Timezone { get; init; }

    /// <summary>The input of each run.</summary>
    public JsonElement? Payload { get; init; }

    public DateTimeOffset? EndAt { get; init; }

    public bool? Enabled { get; init; }

    /// <summary><c>skip</c> or <c>fire_once</c>.</summary>
    public string? MisfirePolicy { get; init; }

    public DateTimeOffset? NextRunAt { get; init; }

    public DateTimeOffset? LastFiredAt { get; init; }
}

/// <summary>Schedules.</summary>
public sealed class SchedulesClient
{
    private readonly OpenWopTransport _transport;

    internal SchedulesClient(OpenWopTransport transport) => _transport = transport;

    public Task<Schedule> CreateAsync(Schedule schedule, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(new Request(HttpMethod.Post, "/api/schedules") { Body = Json.Bytes(schedule) }, cancellationToken);

    public IAsyncEnumerable<Schedule> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Schedule>("/api/schedules", cancellationToken);

    public Task<Schedule> GetAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(new Request(HttpMethod.Get, Path(scheduleId)), cancellationToken);

    /// <summary>Changes the members that are given.</summary>
    public Task<Schedule> ChangeAsync(string scheduleId, JsonElement changes, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(new Request(HttpMethod.Patch, Path(scheduleId)) { Body = Json.Bytes(changes) }, cancellationToken);

    public Task DeleteAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, Path(scheduleId)), cancellationToken);

    private static string Path(string scheduleId) => "/api/schedules/" + Json.Segment(scheduleId);
}
