using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.ServiceDefaults.Logging;

/// <summary>
/// What every log line of a piece of work carries: the tenant that it is done for, and the run and the node that it belongs to, as far as
/// they are known. They may become known while the scope is open.
/// </summary>
public sealed class LogScope : IReadOnlyList<KeyValuePair<string, object?>>
{
    public string? Tenant { get; set; }

    public string? RunId { get; set; }

    public string? NodeId { get; init; }

    /// <inheritdoc/>
    public int Count => (Tenant is null ? 0 : 1) + (RunId is null ? 0 : 1) + (NodeId is null ? 0 : 1);

    /// <inheritdoc/>
    public KeyValuePair<string, object?> this[int index] => this.ElementAt(index);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        if (Tenant is { } tenant)
            yield return new("tenant", tenant);
        if (RunId is { } runId)
            yield return new("runId", runId);
        if (NodeId is { } nodeId)
            yield return new("nodeId", nodeId);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', this.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key}={value.Value}")));
}

/// <summary>Opens scopes of work.</summary>
public static class LogScopeExtensions
{
    /// <summary>Puts all log lines, of whatever logger, below a run until it is disposed.</summary>
    public static IDisposable? BeginRun(this ILogger logger, string runId, string? tenant, string? nodeId = null)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return logger.BeginScope(new LogScope { RunId = runId, Tenant = tenant, NodeId = nodeId });
    }
}
