using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Triggers;

/// <summary>
/// Triggers: events of runs that start runs. Reading needs the scope <c>manifest:read</c>, everything else <c>webhooks:manage</c> and
/// <c>runs:create</c>. A trigger that does not exist, or is somebody else's, is 404.
/// </summary>
public sealed class TriggersClient
{
    private readonly OpenWopTransport _transport;

    internal TriggersClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Makes a trigger, which sees what happens from now on.</summary>
    /// <exception cref="OpenWopException">400 <c>invalid_body</c>; 404 <c>workflow_not_found</c>; 409 <c>trigger_limit_reached</c>.</exception>
    public Task<Trigger> CreateAsync(Trigger trigger, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Trigger>(Request.Once(HttpMethod.Post, "/api/triggers", Json.Bytes(trigger)), cancellationToken);

    /// <summary>All triggers of the organization and the mode of the key, page by page.</summary>
    public IAsyncEnumerable<Trigger> ListAllAsync(CancellationToken cancellationToken = default) => _transport.AllAsync<Trigger>("/api/triggers", cancellationToken);

    /// <summary>A trigger.</summary>
    public Task<Trigger> GetAsync(string triggerId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Trigger>(new Request(HttpMethod.Get, Path(triggerId)), cancellationToken);

    /// <summary>Changes the members that are given; a null takes one away.</summary>
    /// <exception cref="OpenWopException">400, 404 as for <see cref="CreateAsync"/>.</exception>
    public Task<Trigger> ChangeAsync(string triggerId, JsonElement changes, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Trigger>(Request.Once(HttpMethod.Patch, Path(triggerId), Json.Bytes(changes)), cancellationToken);

    /// <summary>Starts nothing until it is resumed; what happens meanwhile starts nothing afterwards either.</summary>
    public Task<Trigger> PauseAsync(string triggerId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Trigger>(Request.Once(HttpMethod.Post, Path(triggerId) + "/pause"), cancellationToken);

    /// <summary>Goes on with what happens from now on.</summary>
    public Task<Trigger> ResumeAsync(string triggerId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Trigger>(Request.Once(HttpMethod.Post, Path(triggerId) + "/resume"), cancellationToken);

    /// <summary>What became of its events, newest first, for 30 days.</summary>
    public Task<Page<TriggerFiring>> FiringsAsync(string triggerId, int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<TriggerFiring>(Path(triggerId) + "/firings", limit, after, cancellationToken);

    /// <summary>Tries a firing that has failed once more.</summary>
    /// <exception cref="OpenWopException">409: it has not failed.</exception>
    public Task<TriggerFiring> ReplayAsync(string triggerId, string firingId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<TriggerFiring>(Request.Once(HttpMethod.Post, $"{Path(triggerId)}/firings/{Json.Segment(firingId)}/replay"), cancellationToken);

    /// <summary>Ends a trigger, and with it what it still had to start.</summary>
    public Task DeleteAsync(string triggerId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, Path(triggerId)), cancellationToken);

    private static string Path(string triggerId) => "/api/triggers/" + Json.Segment(triggerId);
}
