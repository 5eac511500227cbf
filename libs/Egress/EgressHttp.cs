using System.Net;
using System.Net.Sockets;

namespace OpenWop.Micro.Egress;

/// <summary>
/// Sends HTTP requests to addresses that users have named, within an <see cref="EgressPolicy"/>:
/// <list type="number">
/// <item>The URL is checked, and the version kept to HTTP/1.1 or HTTP/2: HTTP/3 would connect past step 3.</item>
/// <item>A pooled connection is used again; it was checked when it was opened.</item>
/// <item>Otherwise the name is resolved once, every address it has is checked, and the connection goes to one of exactly these
/// addresses: between check and connect nothing is resolved again. TLS and the Host header keep the name.</item>
/// </list>
/// There are no redirects (a 3xx is an answer), no proxy, no cookies and no credentials. Headers of answers are bounded;
/// bodies are bounded by <see cref="BoundedBody"/>, after decompression.
/// </summary>
public sealed class EgressHttp : IDisposable
{
    /// <summary>Longest time to open a connection.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Most bytes of headers in an answer, in KiB.</summary>
    public const int MaxResponseHeadersKib = 32;

    /// <summary>So many addresses of a name are tried.</summary>
    private const int MaxAddresses = 4;

    /// <summary>When an address does not answer for so long the next one is tried.</summary>
    private static readonly TimeSpan PatienceWithOneAddress = TimeSpan.FromSeconds(2);

    private readonly EgressPolicy policy;
    private readonly HttpMessageInvoker invoker;

    public EgressHttp(EgressPolicy policy)
        : this(policy, Dns.GetHostAddressesAsync)
    {
    }

    /// <param name="resolve">Resolves a name; tests give names the addresses that they need.</param>
    internal EgressHttp(EgressPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
    {
        ArgumentNullException.ThrowIfNull(policy);
        this.policy = policy;
        invoker = new HttpMessageInvoker(CreateHandler(policy, resolve), disposeHandler: true);
    }

    /// <summary>
    /// Sends a request; returns when the headers of the answer are there. Give up by cancelling: there is no timeout but that
    /// for connecting.
    /// </summary>
    /// <exception cref="EgressDeniedException">The policy forbids the URL or an address of its host; nothing was sent.</exception>
    /// <exception cref="HttpRequestException">No connection, or it broke.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.RequestUri);

        // 1. URL and version.
        if (policy.Check(request.RequestUri) is { } denial)
        {
            throw new EgressDeniedException(denial);
        }

        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        try
        {
            return await invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (exception.InnerException is EgressDeniedException denied)
        {
            throw denied;
        }
    }

    public void Dispose() => invoker.Dispose();

    private static SocketsHttpHandler CreateHandler(EgressPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>> resolve) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.All,
        ConnectTimeout = ConnectTimeout,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(policy, resolve, context.DnsEndPoint, cancellationToken),

        // 2. A name that moves is followed within a minute.
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxConnectionsPerServer = 64,
        MaxResponseHeadersLength = MaxResponseHeadersKib,
        MaxResponseDrainSize = 64 * 1024,
    };

    /// <summary>3. Resolve, check, connect.</summary>
    private static async ValueTask<Stream> ConnectAsync(
        EgressPolicy policy,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        DnsEndPoint target,
        CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await resolve(target.Host, cancellationToken).ConfigureAwait(false);
        foreach (var address in addresses)
        {
            // One address that is not public is enough: such a name plays with us.
            if (policy.Check(address) is { } denial)
            {
                throw new EgressDeniedException(denial);
            }
        }

        var failure = new SocketException((int)SocketError.HostNotFound);
        for (var index = 0; index < addresses.Length && index < MaxAddresses; index++)
        {
            var isLast = index == addresses.Length - 1 || index == MaxAddresses - 1;
            try
            {
                return await ConnectAsync(new IPEndPoint(addresses[index], target.Port), isLast, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException exception)
            {
                failure = exception;
            }
        }

        throw failure;
    }

    private static async Task<NetworkStream> ConnectAsync(IPEndPoint endPoint, bool isLast, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (!isLast)
        {
            limit.CancelAfter(PatienceWithOneAddress);
        }

        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, limit.Token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
