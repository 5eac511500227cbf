using System.Net;
using System.Net.Http.Headers;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// Keeps the retry policy away from calls that a server may have received: a connection that breaks after the call was sent becomes
/// an answer <c>Unavailable</c> with the pushback "do not retry". Failures to connect pass through and are retried.
/// </summary>
internal sealed class AmbiguousFailureHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const string Unavailable = "14";
    private const string NeverRetry = "-1";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException failure) when (MayHaveReachedServer(failure))
        {
            var response = new HttpResponseMessage(HttpStatusCode.OK)
            {
                RequestMessage = request,
                Version = HttpVersion.Version20,
                Content = new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
            };
            response.Headers.TryAddWithoutValidation("grpc-status", Unavailable);
            response.Headers.TryAddWithoutValidation("grpc-message", Uri.EscapeDataString($"The connection broke during the call: {failure.Message}"));
            response.Headers.TryAddWithoutValidation("grpc-retry-pushback-ms", NeverRetry);
            return response;
        }
    }

    private static bool MayHaveReachedServer(HttpRequestException failure) => failure.HttpRequestError is not
        (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError or HttpRequestError.VersionNegotiationError);
}
