using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>What the server's parser refuses, seen from a raw socket.</summary>
public sealed class RejectedRequestTests : IAsyncLifetime
{
    private const string Ping = "GET /v1/runs/run-1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + GatewayHost.Key + "\r\n\r\n";

    private static readonly string[] Members = ["error", "message", "details"];

    private GatewayHost _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayHost.StartAsync(settings: "--OPENWOP_MAX_REQUEST_BODY_BYTES=2048");

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Theory]
    [InlineData("GARBAGE\r\n\r\n", 400, "validation_error")]
    [InlineData("G\0T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "validation_error")]
    [InlineData("GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\nHost: x y\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\nHost: x\r\nBlank : y\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/run-1 HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "validation_error")]
    [InlineData("GET /v1/runs/a\u00ffb HTTP/1.1\r\nHost: x\r\n\r\n", 400, "validation_error")]
    [InlineData("GET v1/runs HTTP/1.1\r\nHost: x\r\n\r\n", 400, "validation_error")]
    [InlineData("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed")]
    [InlineData("GET / HTTP/3.7\r\nHost: x\r\n\r\n", 505, "http_version_not_supported")]
    [InlineData("POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "validation_error")]
    [InlineData("POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "validation_error")]
    [InlineData("POST /v1/runs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400, "validation_error")]
    [InlineData("POST /v1/runs HTTP/1.0\r\n\r\n", 400, "validation_error")]
    public async Task A_request_that_is_none_is_answered_with_the_envelope_and_harms_nobody(string request, int status, string code)
    {
        var answer = await ExchangeAsync(request);
        AssertEnvelope(answer, status, code);
        Assert.Equal(200, (int)(await _gateway.SendAsync("GET", "/v1/runs/run-1")).StatusCode);
    }

    [Theory]
    [InlineData("GET /v1/runs/{0} HTTP/1.1\r\nHost: x\r\n\r\n", 9_000, 414, "uri_too_long")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nLong: {0}\r\n\r\n", 40_000, 431, "headers_too_large")]
    public async Task What_is_too_long_is_told_so(string request, int length, int status, string code) =>
        AssertEnvelope(await ExchangeAsync(string.Format(CultureInfo.InvariantCulture, request, new string('a', length))), status, code);

    [Fact]
    public async Task Too_many_headers_are_told_so()
    {
        var headers = string.Concat(Enumerable.Range(0, 150).Select(i => $"H{i}: x\r\n"));
        AssertEnvelope(await ExchangeAsync($"GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n"), 431, "headers_too_large");
    }

    [Theory]
    [InlineData("GET /v1/runs/%FF HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {0}\r\n\r\n", 404, "not_found")]
    [InlineData("GET /v1/runs/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {0}\r\n\r\n", 404, "not_found")]
    [InlineData("GET /v1/runs/unknown HTTP/1.0\r\nAuthorization: Bearer {0}\r\n\r\n", 404, "not_found")]
    [InlineData("GET /v1/../runs HTTP/1.0\r\n\r\n", 400, "unversioned_path")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400, "unversioned_path")]
    [InlineData("POST /v1/runs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer {0}\r\n\r\nzz\r\n", 400, "validation_error")]
    [InlineData("POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nAuthorization: Bearer {0}\r\n\r\n", 413, "payload_too_large")]
    public async Task What_is_odd_but_http_is_answered_by_the_pipeline(string request, int status, string code) =>
        AssertEnvelope(await ExchangeAsync(string.Format(CultureInfo.InvariantCulture, request, GatewayHost.Key)), status, code);

    [Fact]
    public async Task Answers_before_a_rejection_are_complete_and_the_rejection_ends_the_connection()
    {
        var text = await ExchangeAsync(Ping + Ping + "GARBAGE\r\n\r\n" + Ping);
        var answers = text.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["200", "200", "400"], answers.Select(answer => answer[..3]));
        AssertEnvelope("HTTP/1.1 " + answers[2], 400, "validation_error");
    }

    [Theory]
    [InlineData("Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415)]
    [InlineData("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 415)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 201)]
    [InlineData("Content-Length: 0\r\n\r\n", 201)]
    [InlineData("Content-Length: 2\r\n\r\n{}", 201)]
    public async Task A_body_costs_no_connection_whether_it_is_taken_or_refused(string rest, int status)
    {
        var text = await ExchangeAsync(
            $"POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {GatewayHost.Key}\r\n{rest}" + Ping.Replace("Host: x", "Host: x\r\nConnection: close", StringComparison.Ordinal));
        Assert.Equal([$"{status}", "200"], text.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries).Select(answer => answer[..3]));
    }

    [Fact]
    public async Task The_answer_to_a_head_request_has_no_body()
    {
        var answer = await ExchangeAsync("HEAD /v1/runs HTTP/1.1\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.EndsWith("\r\n\r\n", answer);
    }

    [Fact]
    public async Task What_http2_is_not_ends_with_a_goaway()
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame at all, whatever it is"));
        using var received = new MemoryStream();
        await client.GetStream().CopyToAsync(received).WaitAsync(TimeSpan.FromSeconds(10));
        var bytes = received.ToArray();
        Assert.Contains((byte)7, Frames(bytes)); // GOAWAY
        Assert.Equal(200, (int)(await _gateway.SendAsync("GET", "/v1/runs/run-1")).StatusCode);
    }

    /// <summary>Types of HTTP/2 frames.</summary>
    private static List<byte> Frames(byte[] bytes)
    {
        var types = new List<byte>();
        for (var at = 0; at + 9 <= bytes.Length; at += 9 + ((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]))
            types.Add(bytes[at + 3]);
        return types;
    }

    private static void AssertEnvelope(string answer, int status, string code)
    {
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, answer);
        var (head, body) = (answer[..end], answer[(end + 4)..]);
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json", head, StringComparison.Ordinal);
        if (head.Contains("Content-Length", StringComparison.Ordinal))
            Assert.Contains($"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n", head + "\r\n", StringComparison.Ordinal);

        var envelope = JsonElement.Parse(body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)]);
        Assert.Equal(code, envelope.GetProperty("error").GetString());
        Assert.NotEmpty(envelope.GetProperty("message").GetString()!);
        Assert.All(envelope.EnumerateObject(), member => Assert.Contains(member.Name, Members));
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _gateway.Http.BaseAddress!.Port);
        return client;
    }

    /// <summary>All that comes back until the server closes the connection.</summary>
    private async Task<string> ExchangeAsync(string request)
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }
}
