using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Egress.Tests;

public sealed class EgressHttpTests : IAsyncLifetime
{
    private static readonly EgressPolicy Private = new() { AllowPrivate = true };

    private readonly WebApplication server;

    public EgressHttpTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.MapGet("/ok", (HttpRequest request) => $"{request.Protocol} {request.Host} {request.Headers.Cookie}");
        server.MapGet("/cookie", (HttpResponse response) => response.Cookies.Append("a", "b"));
        server.MapGet("/redirect", () => Results.Redirect("/ok"));
        server.MapGet("/headers", (HttpResponse response) => response.Headers["X-Long"] = new string('x', 64 * 1024));
        server.MapGet("/bomb", async (HttpResponse response) =>
        {
            response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest);
            var zeros = new byte[64 * 1024];
            for (var written = 0; written < 1024; written++)
            {
                await gzip.WriteAsync(zeros);
            }
        });
        server.MapGet("/broken", (HttpResponse response) =>
        {
            response.Headers.ContentEncoding = "gzip";
            return "this is not gzip";
        });
    }

    private string Url => server.Urls.First();

    public Task InitializeAsync() => server.StartAsync();

    public Task DisposeAsync() => server.DisposeAsync().AsTask();

    [Fact]
    public async Task The_checked_address_is_the_one_that_is_connected_to()
    {
        var lookups = new List<string>();
        using var http = new EgressHttp(Private, (name, _) =>
        {
            lookups.Add(name);
            return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        });

        var port = new Uri(Url).Port;
        Assert.Equal($"HTTP/1.1 shop.example:{port} ", await GetAsync(http, $"http://shop.example:{port}/ok"));
        Assert.Equal(["shop.example"], lookups);
    }

    [Fact]
    public async Task A_name_that_resolves_to_a_private_address_is_denied()
    {
        using var http = new EgressHttp(EgressPolicy.Default, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("1.1.1.1"), IPAddress.Loopback]));

        var denied = await Assert.ThrowsAsync<EgressDeniedException>(() => GetAsync(http, $"http://rebind.example:{new Uri(Url).Port}/ok"));
        Assert.Equal("The address is not public (loopback).", denied.Denial.Reason);
    }

    [Fact]
    public async Task A_url_that_is_denied_is_not_even_resolved()
    {
        using var http = new EgressHttp(EgressPolicy.Default, (_, _) => throw new InvalidOperationException("Nobody should ask."));

        await Assert.ThrowsAsync<EgressDeniedException>(() => GetAsync(http, Url + "/ok"));
        await Assert.ThrowsAsync<EgressDeniedException>(() => GetAsync(http, "http://metadata.google.internal/"));
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_refuses()
    {
        // 127.0.0.2 refuses, because the server listens on 127.0.0.1 only.
        using var http = new EgressHttp(Private, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]));

        Assert.StartsWith("HTTP/1.1", await GetAsync(http, $"http://two.example:{new Uri(Url).Port}/ok"));
    }

    [Fact]
    public async Task A_name_without_addresses_fails()
    {
        using var http = new EgressHttp(Private, (_, _) => Task.FromResult<IPAddress[]>([]));
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(http, "http://nowhere.example/"));
    }

    [Fact]
    public async Task Redirects_are_answers_and_cookies_are_forgotten()
    {
        using var http = new EgressHttp(Private);

        using var redirect = await http.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url + "/redirect"), CancellationToken.None);
        Assert.Equal(HttpStatusCode.Redirect, redirect.StatusCode);

        await GetAsync(http, Url + "/cookie");
        Assert.EndsWith(" ", await GetAsync(http, Url + "/ok"));
    }

    [Fact]
    public async Task Headers_of_answers_are_bounded()
    {
        using var http = new EgressHttp(Private);
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(http, Url + "/headers"));
    }

    [Fact]
    public async Task Bodies_are_bounded_after_decompression()
    {
        using var http = new EgressHttp(Private);
        using var answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url + "/bomb"), CancellationToken.None);

        Assert.Null(await BoundedBody.ReadAsync(answer.Content, 1024 * 1024, CancellationToken.None));
    }

    [Fact]
    public async Task Broken_compression_is_an_error()
    {
        using var http = new EgressHttp(Private);
        using var answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Get, Url + "/broken"), CancellationToken.None);

        await Assert.ThrowsAsync<InvalidDataException>(() => BoundedBody.ReadAsync(answer.Content, 1024, CancellationToken.None));
    }

    [Theory]
    [InlineData(10, 10, true)]
    [InlineData(11, 10, false)]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)]
    public async Task A_body_may_have_exactly_as_many_bytes_as_allowed(int size, int limit, bool fits)
    {
        using var known = new ByteArrayContent(new byte[size]);
        using var streamed = new StreamContent(new MemoryStream(new byte[size]));
        streamed.Headers.ContentLength = null;

        Assert.Equal(fits, (await BoundedBody.ReadAsync(known, limit, CancellationToken.None))?.Length == size);
        Assert.Equal(fits, (await BoundedBody.ReadAsync(streamed, limit, CancellationToken.None))?.Length == size);
    }

    private static async Task<string> GetAsync(EgressHttp http, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        using var answer = await http.SendAsync(request, CancellationToken.None);
        return await answer.Content.ReadAsStringAsync();
    }
}
