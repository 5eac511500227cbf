using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// This process's own tokens, one per service it may call. Fetched when the host starts and renewed at half of their life,
/// so that a call never waits for one; while identity is away the present ones last for minutes.
/// </summary>
internal sealed partial class ServiceTokens(
    string service, Identity.IdentityClient identity, ServiceSecret secret, TimeProvider time, ILogger<ServiceTokens> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _expired = new(0, 1);
    private volatile Issued? _issued;

    /// <summary>The token for a service, or null while there is none.</summary>
    public string? Find(string audience)
    {
        if (_issued is not { } issued)
            return null;

        if (time.GetUtcNow() < issued.ExpiresAt)
            return issued.Tokens.GetValueOrDefault(audience);

        // A machine that slept has a clock that went on and a timer that did not.
        if (_expired.CurrentCount == 0)
            RenewNow();

        return null;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Once before the services start, which then find a token; without identity they start as well and try again.
        await TryFetchAsync(cancellationToken).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        while (true)
        {
            if (_issued is { } issued && time.GetUtcNow() is var now && now < issued.RenewAt)
            {
                retry = FirstRetry;
                await WaitForRenewalAsync(issued.RenewAt - now, stoppingToken).ConfigureAwait(false);
            }
            else
            {
                await Task.Delay(retry, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }

            if (stoppingToken.IsCancellationRequested)
                return;

            await TryFetchAsync(stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task WaitForRenewalAsync(TimeSpan pause, CancellationToken stoppingToken)
    {
        using var due = new CancellationTokenSource(pause, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, stoppingToken);
        await _expired.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void RenewNow()
    {
        try
        {
            _expired.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another call has said so.
        }
    }

    private async Task TryFetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            var reply = await identity.IssueServiceTokenAsync(
                new IssueServiceTokenRequest { Service = service, Secret = UnsafeByteOperations.UnsafeWrap(secret.Value) },
                deadline: time.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(5),
                cancellationToken: cancellationToken).ConfigureAwait(false);
            var expiresAt = DateTimeOffset.FromUnixTimeSeconds(reply.ExpiresAt);
            _issued = new Issued(reply.Tokens.ToDictionary(StringComparer.Ordinal), now + ((expiresAt - now) / 2), expiresAt);
        }
        catch (RpcException exception)
        {
            if (!cancellationToken.IsCancellationRequested)
                Log.NoTokens(logger, exception.StatusCode, exception.Status.Detail);
        }
    }

    private sealed record Issued(Dictionary<string, string> Tokens, DateTimeOffset RenewAt, DateTimeOffset ExpiresAt);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "Identity issued no service token ({Status}: {Detail}); trying again.")]
        public static partial void NoTokens(ILogger logger, StatusCode status, string detail);
    }
}
