using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Hosting;

/// <summary>What a server does with peers that break the rules: a proper status or a closed connection, and it goes on for everybody else.</summary>
public sealed class HostileInputTests : IAsyncLifetime
{
    private const byte Data = 0, Headers = 1, Settings = 4, WindowUpdate = 8, Continuation = 9;
    private const string Unary = "/micro.testing.v1.Interop/UnaryCall";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private TestHost _host = null!;
    private ClientHost _client = null!;
    private HttpClient _http = null!;

    public static TheoryData<string, byte[]> BadFrames => new()
    {
        { "noise", [.. Enumerable.Repeat((byte)0xA5, 1000)] },
        { "a frame larger than announced limits", Frame(Data, stream: 1, length: 0xFFFFFF) },
        { "headers on stream 0", Frame(Headers, stream: 0, payload: [0x82]) },
        { "headers on an even stream", Frame(Headers, stream: 2, payload: [0x82]) },
        { "headers that do not decode", Frame(Headers, stream: 1, payload: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) },
        { "data on a stream that nobody opened", Frame(Data, stream: 7, payload: [1, 2, 3]) },
        { "settings of a wrong length", Frame(Settings, stream: 0, payload: [1, 2, 3, 4, 5]) },
        { "settings on a stream", Frame(Settings, stream: 3, payload: []) },
        { "a window update of nothing", Frame(WindowUpdate, stream: 0, payload: [0, 0, 0, 0]) },
        { "a window that overflows", [.. Frame(WindowUpdate, stream: 0, payload: [0x7F, 0xFF, 0xFF, 0xFF]), .. Frame(WindowUpdate, stream: 0, payload: [0x7F, 0xFF, 0xFF, 0xFF])] },
        { "a continuation of nothing", Frame(Continuation, stream: 1, payload: [0x82]) },
    };

    public async Task InitializeAsync()
    {
        _host = await TestHost.StartAsync();
        _client = new ClientHost([_host.Address]);
        _http = new HttpClient { BaseAddress = _host.Address, Timeout = Patience };
    }

    public async Task DisposeAsync()
    {
        await AssertServesOthersAsync();
        _http.Dispose();
        await _client.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task Frames_against_the_protocol_end_the_connection(string what, byte[] frames)
    {
        using var connection = await _host.ConnectAsync();
        var stream = connection.GetStream();
        byte[] greeting = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, stream: 0, payload: [])];
        await stream.WriteAsync(greeting);
        await stream.WriteAsync(frames);

        Assert.True(await IsClosedByServerAsync(stream), $"The server keeps a connection with {what}.");
    }

    [Fact]
    public async Task A_connection_that_ends_after_the_preface_harms_nobody()
    {
        using var connection = await _host.ConnectAsync();
        var stream = connection.GetStream();
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        connection.Client.Shutdown(SocketShutdown.Send);

        Assert.True(await IsClosedByServerAsync(stream));
    }

    [Fact]
    public async Task A_preface_that_goes_wrong_at_its_end_closes_the_connection()
    {
        using var connection = await _host.ConnectAsync();
        await connection.GetStream().WriteAsync("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"u8.ToArray());

        Assert.True(await IsClosedByServerAsync(connection.GetStream()));
    }

    [Fact]
    public async Task A_content_type_that_is_not_grpc_is_not_supported()
    {
        using var response = await PostAsync(Message([]), contentType: "text/plain");

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Grpc_over_http_1_is_told_to_upgrade()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Unary) { Version = HttpVersion.Version11, Content = Content(Message([])) };

        using var response = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData(0xFFFFFFFF, StatusCode.Unknown)] // Above what a length can be at all.
    [InlineData(0x7FFFFFFF, StatusCode.ResourceExhausted)]
    [InlineData(GrpcLimits.MaxMessageSize + 1, StatusCode.ResourceExhausted)]
    public async Task An_announced_message_above_the_limit_is_refused_before_it_comes(uint length, StatusCode status)
        => Assert.Equal(status, await CallAsync(Prefixed(length, [1, 2, 3])));

    [Theory]
    [InlineData(100)]
    [InlineData(4)]
    public async Task A_message_that_ends_early_is_an_error(uint length)
        => Assert.Equal(StatusCode.Internal, await CallAsync(Prefixed(length, [1, 2, 3])));

    [Fact]
    public async Task A_prefix_that_ends_early_is_an_error()
        => Assert.Equal(StatusCode.Internal, await CallAsync([0, 0, 0]));

    [Fact]
    public async Task A_unary_call_without_message_is_an_error()
        => Assert.Equal(StatusCode.Internal, await CallAsync([]));

    [Fact]
    public async Task A_unary_call_with_two_messages_is_an_error()
        => Assert.Equal(StatusCode.Internal, await CallAsync([.. Message([]), .. Message([])]));

    [Fact]
    public async Task A_compressed_message_without_encoding_is_an_error()
        => Assert.Equal(StatusCode.Internal, await CallAsync(Prefixed(3, [1, 2, 3], compressed: 1)));

    [Fact]
    public async Task An_unknown_encoding_is_unimplemented()
        => Assert.Equal(StatusCode.Unimplemented, await CallAsync(Prefixed(3, [1, 2, 3], compressed: 1), encoding: "snappy"));

    [Fact]
    public async Task A_compressed_message_that_does_not_decompress_is_an_error()
    {
        var status = await CallAsync(Prefixed(3, [1, 2, 3], compressed: 1), encoding: "gzip");

        Assert.NotEqual(StatusCode.OK, status);
    }

    [Fact]
    public async Task A_message_that_grows_above_the_limit_when_decompressed_is_refused()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < 64; i++)
                gzip.Write(zeros);
        }

        var status = await CallAsync(Prefixed((uint)compressed.Length, compressed.ToArray(), compressed: 1), encoding: "gzip");

        Assert.Equal(StatusCode.ResourceExhausted, status);
    }

    [Fact]
    public async Task A_message_that_is_no_protobuf_is_an_error()
        => Assert.NotEqual(StatusCode.OK, await CallAsync(Message([0xFF, 0xFF, 0xFF, 0xFF])));

    [Fact]
    public async Task A_message_nested_deeper_than_the_parser_allows_is_an_error()
    {
        // Groups (wire type 3) of an unknown field, each inside the other.
        byte[] groups = [.. Enumerable.Repeat((byte)0x7B, 100_000)];

        Assert.NotEqual(StatusCode.OK, await CallAsync(Message(groups)));
    }

    [Fact]
    public async Task A_timeout_that_is_no_timeout_is_ignored()
        => Assert.Equal(StatusCode.OK, await CallAsync(Message(new UnaryRequest { ResponseSize = 1 }.ToByteArray()), timeout: "soon"));

    private static byte[] Message(byte[] body) => Prefixed((uint)body.Length, body);

    private static byte[] Prefixed(uint length, byte[] body, byte compressed = 0)
    {
        var message = new byte[5 + body.Length];
        message[0] = compressed;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(1), length);
        body.CopyTo(message, 5);
        return message;
    }

    private static byte[] Frame(byte type, int stream, byte[]? payload = null, int? length = null)
    {
        payload ??= [];
        var announced = length ?? payload.Length;
        return
        [
            (byte)(announced >> 16), (byte)(announced >> 8), (byte)announced, type, 0,
            (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream,
            .. payload,
        ];
    }

    private static ByteArrayContent Content(byte[] body, string contentType = "application/grpc")
        => new(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };

    private static async Task<bool> IsClosedByServerAsync(NetworkStream stream)
    {
        using var limit = new CancellationTokenSource(Patience);
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, limit.Token) > 0)
            {
            }

            return true;
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] body, string contentType = "application/grpc", string? encoding = null, string? timeout = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Unary)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = Content(body, contentType),
        };
        if (encoding is not null)
            request.Headers.Add("grpc-encoding", encoding);
        if (timeout is not null)
            request.Headers.Add("grpc-timeout", timeout);

        var response = await _http.SendAsync(request);
        await response.Content.LoadIntoBufferAsync();
        return response;
    }

    private async Task<StatusCode> CallAsync(byte[] body, string? encoding = null, string? timeout = null)
    {
        using var response = await PostAsync(body, encoding: encoding, timeout: timeout);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var headers = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        return (StatusCode)int.Parse(headers.GetValues("grpc-status").Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task AssertServesOthersAsync()
        => Assert.Equal(new Empty(), await _client.Interop.EmptyCallAsync(new Empty(), deadline: DateTime.UtcNow + Patience));
}
