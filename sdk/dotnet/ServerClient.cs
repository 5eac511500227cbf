using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client;

/// <summary>The server itself.</summary>
public sealed class ServerClient
{
    private readonly OpenWopTransport _transport;

    internal ServerClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>The discovery document. Needs no key.</summary>
    public Task<JsonElement> GetCapabilitiesAsync(CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/.well-known/openwop"), cancellationToken);

    /// <summary>Whether the server takes calls. Needs no key.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            using var response = await _transport.SendAsync(new Request(HttpMethod.Get, "/readyz"), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is OpenWopException or HttpRequestException or TimeoutException)
        {
            return false;
        }
    }
}
