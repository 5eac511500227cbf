using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Schedules;

/// <summary>Schedules: workflows that the server runs by the clock. All calls need the scope <c>schedules:manage</c>, reading <c>manifest:read</c>.</summary>
public sealed class SchedulesClient
{
    private readonly OpenWopTransport _transport;

    internal SchedulesClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Makes a schedule.</summary>
    /// <exception cref="OpenWopException">
    /// 400 <c>invalid_body</c>, <c>invalid_cron</c>, <c>invalid_timezone</c>; 404 <c>workflow_not_found</c>; 409 <c>schedule_exists</c>.
    /// </exception>
    public Task<Schedule> CreateAsync(Schedule schedule, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(Request.Once(HttpMethod.Post, "/api/schedules", Json.Bytes(schedule)), cancellationToken);

    /// <summary>All schedules of the organization and the mode of the key, page by page.</summary>
    public IAsyncEnumerable<Schedule> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Schedule>("/api/schedules", cancellationToken);

    /// <exception cref="OpenWopException">404: there is none.</exception>
    public Task<Schedule> GetAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(new Request(HttpMethod.Get, Path(scheduleId)), cancellationToken);

    /// <summary>Changes the members that are given; a null takes one away. Neither <c>id</c> nor <c>workflowId</c> can be changed.</summary>
    /// <exception cref="OpenWopException">400 as for <see cref="CreateAsync"/>; 404: there is none.</exception>
    public Task<Schedule> ChangeAsync(string scheduleId, JsonElement changes, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Schedule>(Request.Once(HttpMethod.Patch, Path(scheduleId), Json.Bytes(changes)), cancellationToken);

    /// <summary>Ends a schedule. Runs that it has started go on; its history goes with it.</summary>
    public Task DeleteAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, Path(scheduleId)), cancellationToken);

    /// <summary>The next times at which it fires.</summary>
    /// <param name="count">1 to 100; null = the server's choice.</param>
    public async Task<IReadOnlyList<DateTimeOffset>> PreviewAsync(string scheduleId, int? count = null, CancellationToken cancellationToken = default)
    {
        var query = count is { } number ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"?count={number}") : "";
        var preview = await _transport.JsonAsync(new Request(HttpMethod.Get, Path(scheduleId) + "/preview" + query), cancellationToken).ConfigureAwait(false);
        return [.. preview.GetProperty("data").EnumerateArray().Select(slot => slot.GetDateTimeOffset())];
    }

    /// <summary>What became of its times, newest first, for 30 days.</summary>
    public Task<Page<ScheduleFire>> FiresAsync(string scheduleId, int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<ScheduleFire>(Path(scheduleId) + "/fires", limit, after, cancellationToken);

    private static string Path(string scheduleId) => "/api/schedules/" + Json.Segment(scheduleId);
}
