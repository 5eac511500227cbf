using System.Diagnostics;
using System.Globalization;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Tells the circuit breaker of an instance whether a call got an answer: a response of any gRPC status is one; a broken connection, a
/// failed handshake, an error of something in between, and silence until the deadline are none. A caller who gives up says nothing.
/// </summary>
internal sealed class OutcomeHandler(CircuitBreakers breakers, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const string DeadlineHeader = "grpc-timeout";

    /// <summary>The deadline runs out here a moment before or after the server's own answer about it.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(50);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var instance = request.RequestUri!;
        var started = Stopwatch.GetTimestamp();
        try
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            breakers.Report(instance, answered: (int)response.StatusCode < 500);
            return response;
        }
        catch (HttpRequestException)
        {
            breakers.Report(instance, answered: false);
            throw;
        }
        catch (OperationCanceledException) when (DeadlineOf(request) is { } deadline && Stopwatch.GetElapsedTime(started) > deadline - Margin)
        {
            breakers.Report(instance, answered: false);
            throw;
        }
    }

    /// <summary>A whole number and a unit, such as <c>250m</c> for milliseconds.</summary>
    internal static TimeSpan? DeadlineOf(HttpRequestMessage request)
    {
        if (!request.Headers.TryGetValues(DeadlineHeader, out var values) || values.FirstOrDefault() is not { Length: > 1 } text
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
            return null;

        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(amount),
            'M' => TimeSpan.FromMinutes(amount),
            'S' => TimeSpan.FromSeconds(amount),
            'm' => TimeSpan.FromMilliseconds(amount),
            'u' => TimeSpan.FromMicroseconds(amount),
            'n' => TimeSpan.FromTicks(amount / TimeSpan.NanosecondsPerTick),
            _ => null,
        };
    }
}
