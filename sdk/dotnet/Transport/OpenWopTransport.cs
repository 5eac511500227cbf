using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace OpenWop.Micro.Client.Transport;

/// <summary>
/// Sends requests and repeats them where that is safe.
/// <list type="number">
/// <item>429: nothing was done, so every call is repeated after the time that the server asks for.</item>
/// <item>502, 503, 504 or a broken connection: something may have been done, so only what is repeatable is repeated.</item>
/// <item>Anything else is an answer.</item>
/// </list>
/// </summary>
internal sealed class OpenWopTransport(HttpClient http, OpenWopOptions options, TimeProvider time)
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(2);

    private readonly string _base = options.BaseAddress.AbsoluteUri.TrimEnd('/');

    /// <summary>The answer with its headers read; the caller disposes it.</summary>
    /// <exception cref="OpenWopException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public async Task<HttpResponseMessage> SendAsync(Request request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan? wait;
            try
            {
                var response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotModified)
                    return response;

                using (response)
                {
                    var error = await ErrorReader.ReadAsync(response, cancellationToken).ConfigureAwait(false);
                    wait = attempt < options.MaxRetries ? WaitBefore(request, error, attempt) : null;
                    if (wait is null)
                        throw error;
                }
            }
            catch (HttpRequestException) when (attempt < options.MaxRetries && request.IsRepeatable)
            {
                wait = Backoff(attempt);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                if (attempt >= options.MaxRetries || !request.IsRepeatable)
                    throw new TimeoutException($"The server has not answered within {options.Timeout.TotalSeconds} seconds.");

                wait = Backoff(attempt);
            }

            await Task.Delay(wait.Value, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<JsonElement> JsonAsync(Request request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var document = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken).ConfigureAwait(false);
        return document.RootElement.Clone();
    }

    public async Task<T> ReadAsync<T>(Request request, CancellationToken cancellationToken) =>
        (await JsonAsync(request, cancellationToken).ConfigureAwait(false)).Deserialize<T>(Json.Options)
            ?? throw new JsonException("The server answered with null.");

    public async Task SendAndForgetAnswerAsync(Request request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A list in the form <c>{data, pagination: {next}}</c>.</summary>
    public async Task<Page<T>> PageAsync<T>(string path, int? limit, string? after, CancellationToken cancellationToken)
    {
        var query = new List<string>();
        if (limit is { } size)
            query.Add("limit=" + size);
        if (after is not null)
            query.Add("after=" + Uri.EscapeDataString(after));

        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        var page = await JsonAsync(new Request(HttpMethod.Get, query.Count == 0 ? path : $"{path}{separator}{string.Join('&', query)}"), cancellationToken)
            .ConfigureAwait(false);
        var data = page.GetProperty("data").Deserialize<List<T>>(Json.Options) ?? [];
        return new Page<T>(data, page.TryGetProperty("pagination", out var pagination) && pagination.TryGetProperty("next", out var next) ? next.GetString() : null);
    }

    /// <summary>All pages of a list, one after the other.</summary>
    public async IAsyncEnumerable<T> AllAsync<T>(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await PageAsync<T>(path, limit: null, after, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Data)
                yield return item;

            after = page.Next;
        }
        while (after is not null);
    }

    internal TimeSpan Backoff(int attempt)
    {
        var delay = Math.Min(options.RetryDelay.TotalMilliseconds * Math.Pow(2, attempt), MaxDelay.TotalMilliseconds);

        // Jitter: clients that lost the same server do not come back in step.
        return TimeSpan.FromMilliseconds(delay * (0.75 + (Random.Shared.NextDouble() * 0.5)));
    }

    private TimeSpan? WaitBefore(Request request, OpenWopException error, int attempt) => error.Status switch
    {
        HttpStatusCode.TooManyRequests when (error.RetryAfter ?? TimeSpan.Zero) <= MaxRetryAfter => error.RetryAfter ?? Backoff(attempt),
        HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout when request.IsRepeatable =>
            error.RetryAfter is { } asked && asked <= MaxDelay ? asked : Backoff(attempt),
        HttpStatusCode.Conflict when error.Code == "idempotency_in_flight" => Backoff(attempt),
        _ => null,
    };

    private async Task<HttpResponseMessage> SendOnceAsync(Request request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, _base + request.Path);
        if (options.ApiKey is { } key)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (request.Body is not null)
            message.Content = new ByteArrayContent(request.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (request.IdempotencyKey is not null)
            message.Headers.TryAddWithoutValidation("Idempotency-Key", request.IdempotencyKey);
        if (request.IfMatch is not null)
            message.Headers.TryAddWithoutValidation("If-Match", request.IfMatch);
        if (request.LastEventId is not null)
            message.Headers.TryAddWithoutValidation("Last-Event-ID", request.LastEventId);
        message.Headers.TryAddWithoutValidation("Accept", request.Accept ?? "application/json");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        return await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
    }
}
