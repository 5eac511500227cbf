using System.Diagnostics;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>
/// The addresses of a host, and what becomes of a call that gets no answer. As a rule it is a failure. With
/// <see cref="HostAccess.RetryBroken"/> the suite is a client that lives with processes that die:
/// <list type="number">
/// <item>a call that reached nobody goes to the next address;</item>
/// <item>one whose connection broke, or that was told to come back, is made again when that is safe: GET, or with an <c>Idempotency-Key</c>;</item>
/// <item>any other may have been carried out or not, and its scenario starts over. So does one that was too slow, which a take-over explains.</item>
/// </list>
/// </summary>
internal sealed class HostConnection(HostAccess access) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient[] _addresses = [.. access.BaseUrls.Select(url => new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        BaseAddress = url,
        Timeout = TimeSpan.FromSeconds(90),
    })];
    private int _next;

    /// <param name="isSafe">The call may be made twice.</param>
    /// <exception cref="BrokenCallException">Nobody knows whether the call was carried out.</exception>
    public async Task<T> CallAsync<T>(bool isSafe, Func<HttpClient, Task<T>> call)
    {
        var index = access.RetryBroken ? (uint)Interlocked.Increment(ref _next) : 0;
        var started = Stopwatch.GetTimestamp();
        for (; ; index++)
        {
            try
            {
                return await call(_addresses[index % (uint)_addresses.Length]);
            }
            catch (Exception exception) when (access.RetryBroken && exception is HttpRequestException or IOException or ComeBackException)
            {
                if (!isSafe && exception is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError })
                    throw new BrokenCallException(exception);

                if (Stopwatch.GetElapsedTime(started) > Patience)
                    throw;
            }

            await Task.Delay(Pause);
        }
    }

    /// <summary>Whether an answer is not one yet.</summary>
    /// <param name="isSafe">The call may be made twice.</param>
    public void RefuseIfNotFinal(string path, Reply reply, bool isSafe)
    {
        // The key of a call that a crash has interrupted is held for a while.
        if (access.RetryBroken && (reply.Status == 503 || IsAbsenceOverMcp(path, reply) || (isSafe && reply is { Status: 409, Error: "idempotency_in_flight" })))
            throw new ComeBackException(reply.Text);
    }

    /// <summary>Answers of an MCP server have the status 200 whatever they say.</summary>
    private static bool IsAbsenceOverMcp(string path, Reply reply) =>
        path == "/v1/mcp" && reply.Status == 200 && reply.Text.Contains("service_unavailable", StringComparison.Ordinal);

    public void Dispose()
    {
        foreach (var address in _addresses)
            address.Dispose();
    }

    private sealed class ComeBackException(string answer) : Exception(answer);
}

/// <summary>A call broke that must not be made twice.</summary>
internal sealed class BrokenCallException(Exception cause) : Exception(cause.Message, cause);
