using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.SharedPort;

public sealed class SharedPortTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task Both_versions_of_http_are_served_on_one_cleartext_port(string method)
    {
        await using var host = await TestHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };

        Assert.Equal("HTTP/1.1", await AskProtocolAsync(client, method, HttpVersion.Version11));
        Assert.Equal("HTTP/2", await AskProtocolAsync(client, method, HttpVersion.Version20));
        Assert.Equal("HTTP/1.1", await AskProtocolAsync(client, method, HttpVersion.Version11));
    }

    [Fact]
    public async Task The_host_shows_its_public_address_only()
    {
        await using var host = await TestHost.StartAsync();

        var url = Assert.Single(host.App.Urls);
        Assert.Equal("127.0.0.1", new Uri(url).Host);
        Assert.NotEqual(0, new Uri(url).Port);
    }

    [Fact]
    public async Task Every_configured_address_is_shared()
    {
        await using var host = await TestHost.StartAsync(url: "http://127.0.0.1:0;http://[::1]:0");
        Assert.Equal(2, host.App.Urls.Count);

        foreach (var url in host.App.Urls)
        {
            using var client = new HttpClient { BaseAddress = new Uri(url) };
            Assert.Equal("HTTP/1.1", await AskProtocolAsync(client, "GET", HttpVersion.Version11));
            Assert.Equal("HTTP/2", await AskProtocolAsync(client, "GET", HttpVersion.Version20));
        }
    }

    [Fact]
    public async Task The_application_sees_the_addresses_of_the_real_connection()
    {
        await using var host = await TestHost.StartAsync(map: app => app.MapGet("/peer", (HttpContext context) =>
            $"{context.Request.Scheme} {context.Connection.RemoteIpAddress} {context.Connection.LocalPort}"));
        using var client = new HttpClient { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/peer") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var response = await client.SendAsync(request);

        Assert.Equal($"http 127.0.0.1 {host.Address.Port}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_first_bytes_may_come_one_at_a_time()
    {
        await using var host = await TestHost.StartAsync();
        using var client = await host.ConnectAsync();
        client.NoDelay = true;
        var stream = client.GetStream();

        foreach (var b in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray())
            await stream.WriteAsync(new[] { b });
        // An empty SETTINGS frame; the server answers with its own.
        await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });

        var header = new byte[9];
        await stream.ReadExactlyAsync(header).AsTask().WaitAsync(Patience);
        Assert.Equal(4, header[3]);
    }

    [Fact]
    public async Task A_request_that_begins_like_the_preface_is_still_http_1()
    {
        await using var host = await TestHost.StartAsync();
        using var client = await host.ConnectAsync();
        var stream = client.GetStream();

        await stream.WriteAsync("PR"u8.ToArray());
        await stream.WriteAsync("OPFIND / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());

        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 404", await reader.ReadToEndAsync().WaitAsync(Patience), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PRI * HT")]
    public async Task A_connection_that_does_not_say_what_it_wants_is_closed(string beginning)
    {
        await using var host = await TestHost.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMilliseconds(200);
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromMilliseconds(200);
        }));
        using var client = await host.ConnectAsync();
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning));

        Assert.Equal(0, await ReadToEndAsync(stream).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_connection_that_breaks_before_it_said_what_it_wants_harms_nobody()
    {
        await using var host = await TestHost.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            using var client = await host.ConnectAsync();
            await client.GetStream().WriteAsync("PRI * "u8.ToArray());
            client.LingerState = new LingerOption(true, 0);
        }

        using var channel = GrpcChannel.ForAddress(host.Address);
        await new Protos.Interop.InteropClient(channel).EmptyCallAsync(new Empty());
    }

    [Fact]
    public async Task Connection_limits_count_both_versions()
    {
        await using var host = await TestHost.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxConcurrentConnections = 1));
        using var channel = GrpcChannel.ForAddress(host.Address);
        await new Protos.Interop.InteropClient(channel).EmptyCallAsync(new Empty());

        using var second = await host.ConnectAsync();

        Assert.Equal(0, await ReadToEndAsync(second.GetStream()).WaitAsync(Patience));
    }

    [Fact]
    public async Task The_limits_of_the_host_hold_for_http_2()
    {
        await using var host = await TestHost.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 10),
            app => app.MapPost("/length", async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                return body.Length;
            }));
        using var client = new HttpClient { BaseAddress = host.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var accepted = await client.PostAsync(new Uri("/length", UriKind.Relative), new ByteArrayContent(new byte[10]));
        using var refused = await client.PostAsync(new Uri("/length", UriKind.Relative), new ByteArrayContent(new byte[11]));

        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
    }

    [Fact]
    public async Task Shutdown_lets_a_running_call_finish()
    {
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(map: app => app.MapGet("/slow", async () =>
        {
            entered.SetResult();
            await release.Task;
            return "done";
        }));
        using var client = new HttpClient { BaseAddress = host.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var idle = await host.ConnectAsync();
        var response = client.GetStringAsync(new Uri("/slow", UriKind.Relative));
        await entered.Task.WaitAsync(Patience);

        var stopping = host.App.StopAsync();
        // The connection that never said anything is let go although a call is still running.
        Assert.Equal(0, await ReadToEndAsync(idle.GetStream()).WaitAsync(Patience));
        Assert.False(stopping.IsCompleted);
        release.SetResult();

        Assert.Equal("done", await response.WaitAsync(Patience));
        await stopping.WaitAsync(Patience);
    }

    [Fact]
    public async Task Shutdown_ends_calls_that_do_not_finish_in_time()
    {
        await using var host = await TestHost.StartAsync();
        using var channel = GrpcChannel.ForAddress(host.Address);
        using var call = new Protos.Interop.InteropClient(channel).Converse();
        await call.RequestStream.WriteAsync(new OutputRequest { ResponseSizes = { 1 } });
        Assert.True(await call.ResponseStream.MoveNext(default));

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await host.App.StopAsync(limit.Token).WaitAsync(Patience);

        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
    }

    private static async Task<string> AskProtocolAsync(HttpClient client, string method, Version version)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/protocol") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.SendAsync(request);
        Assert.Equal(version, response.Version);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>How many bytes came before the other side closed.</summary>
    private static async Task<int> ReadToEndAsync(NetworkStream stream)
    {
        var total = 0;
        var buffer = new byte[256];
        try
        {
            while (await stream.ReadAsync(buffer) is var read and > 0)
                total += read;
        }
        catch (IOException)
        {
            // A reset closes as well.
        }

        return total;
    }
}
