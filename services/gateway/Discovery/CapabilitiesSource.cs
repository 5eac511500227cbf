using Grpc.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Inflight;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Webhooks;
using OpenWop.Micro.Protocol.Capabilities;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>
/// Keeps the discovery document. Clients fetch it often and without a credential, so a call never waits for other services once the
/// document is there: an old one is served while one call refreshes it, and stays when that fails.
/// </summary>
internal sealed partial class CapabilitiesSource(
    Contracts.Runs.V1.Runs.RunsClient runs,
    Contracts.Workflows.V1.Workflows.WorkflowsClient workflows,
    Contracts.Identity.V1.Audit.AuditClient audit,
    Vault.VaultClient vault,
    PublicAddress address,
    ServiceTopology topology,
    IConfiguration configuration,
    InflightOptions inflight,
    TimeProvider time,
    ILogger<CapabilitiesSource> logger) : IHealthCheck
{
    private const string AllSeeded = "*";

    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task<CapabilitiesDocument>? _refresh;
    private CapabilitiesDocument? _document;
    private long _fetchedAt;

    /// <summary>The document: at most some seconds old, or older when it cannot be refreshed.</summary>
    /// <exception cref="RpcException">There is none yet, and it cannot be fetched.</exception>
    public async ValueTask<CapabilitiesDocument> GetAsync(CancellationToken cancellationToken)
    {
        if (_document is not { } document)
            return await Refresh().WaitAsync(cancellationToken);

        if (time.GetElapsedTime(Volatile.Read(ref _fetchedAt)) >= FreshFor)
            _ = Refresh();

        return document;
    }

    /// <summary>Without a discovery document no client can start: the gateway is not ready.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await GetAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (RpcException exception)
        {
            return HealthCheckResult.Unhealthy($"A service behind the gateway does not answer ({exception.StatusCode}).");
        }
    }

    /// <summary>One fetch at a time, whoever asks.</summary>
    private Task<CapabilitiesDocument> Refresh()
    {
        lock (_gate)
            return _refresh ??= Task.Run(FetchAsync);
    }

    private async Task<CapabilitiesDocument> FetchAsync()
    {
        try
        {
            var deadline = DateTime.UtcNow + Patience;
            var engine = runs.ListNodeTypesAsync(new ListNodeTypesRequest(), deadline: deadline);
            var checkpoints = audit.GetCheckpointKeyAsync(new GetCheckpointKeyRequest(), deadline: deadline);
            var secrets = vault.GetStatusAsync(new GetVaultStatusRequest(), deadline: deadline);
            var seeded = await ListSeededAsync(deadline);
            _document = CapabilitiesDocument.Create(ServerCapabilities.Of(new(
                await engine,
                seeded,
                await checkpoints,
                (await secrets).Seeded,
                address.Configured,
                configuration.MaxRequestBodyBytes(),
                !string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]),
                inflight,
                topology.Has(WebhookOperations.Service))));
            return _document;
        }
        catch (Exception exception) when (_document is { } last)
        {
            Log.Stale(logger, exception);
            return last;
        }
        finally
        {
            Volatile.Write(ref _fetchedAt, time.GetTimestamp());
            lock (_gate)
                _refresh = null;
        }
    }

    private async Task<List<Definition>> ListSeededAsync(DateTime deadline)
    {
        var definitions = new List<Definition>();
        var request = new ListDefinitionsRequest { Tenant = AllSeeded, WithJson = true };
        do
        {
            var page = await workflows.ListDefinitionsAsync(request, deadline: deadline);
            definitions.AddRange(page.Definitions);
            request.After = page.Next;
        }
        while (request.After.Length > 0);
        return definitions;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The discovery document could not be refreshed; the last one stays.")]
        public static partial void Stale(ILogger logger, Exception exception);
    }
}
