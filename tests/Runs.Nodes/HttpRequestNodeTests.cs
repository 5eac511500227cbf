using System.Net;
using System.Net.Sockets;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Nodes.Http;

namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class HttpRequestNodeTests : IAsyncLifetime
{
    private HttpTestServer server = null!;
    private TestDatabase database = null!;
    private TestLedger owner = null!;

    public async Task InitializeAsync()
    {
        server = await HttpTestServer.StartAsync();
        database = await TestDatabase.CreateAsync();
        owner = await database.NewOwnerAsync();
    }

    public async Task DisposeAsync()
    {
        await owner.DisposeAsync();
        await database.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("/json", "\"body\":{\"n\":1.50,\"s\":\"é\"}")]
    [InlineData("/text", "\"body\":\"plain é\"")]
    [InlineData("/latin1", "\"body\":\"é\"")]
    [InlineData("/binary", "\"body\":\"/wD+\",\"bodyEncoding\":\"base64\"")]
    [InlineData("/half", "\"body\":\"{\\\"a\\\":\\\"\\\\ud800\\\"}\"")]
    [InlineData("/deep", "\"body\":\"[[[")]
    [InlineData("/headers", "\"x-two\":\"a, b\"")]
    [InlineData("/status/204", "\"status\":204")]
    public async Task The_answer_becomes_the_outputs(string path, string part)
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(await RunAsync($"{{\"url\":\"{server.Url}{path}\"}}"));
        Assert.Contains(part, completed.Outputs.GetRawText(), StringComparison.Ordinal);
        Assert.Null(completed.LivePorts);
    }

    [Fact]
    public async Task The_answer_to_HEAD_has_headers_only()
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(await RunAsync(
            $"{{\"method\":\"head\",\"url\":\"{server.Url}/json\",\"maxResponseBytes\":1}}"));
        Assert.Equal("", completed.Outputs.GetProperty("body").GetString());
        Assert.Equal("application/problem+json", completed.Outputs.GetProperty("headers").GetProperty("content-type").GetString());
    }

    [Fact]
    public async Task Parameters_make_the_request()
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(await RunAsync(
            $$"""
            {"method":"post","url":"{{server.Url}}/echo?a=1","query":{"q":"x y&z","n":[1,2],"skip":null},"headers":{"X-Token":"t 1"},"body":{"n":1.50} }
            """,
            inputs: "{\"headers\":{\"X-Token\":\"from port\"}}"));

        var echo = completed.Outputs.GetProperty("body");
        Assert.Equal("POST", echo.GetProperty("method").GetString());
        Assert.Equal("?a=1&q=x%20y%26z&n=1&n=2", echo.GetProperty("query").GetString());
        Assert.Equal("application/json", echo.GetProperty("type").GetString());
        Assert.Equal("from port", echo.GetProperty("token").GetString());
        Assert.Equal("{\"n\":1.50}", echo.GetProperty("body").GetString());
        Assert.Equal(43, echo.GetProperty("key").GetString()!.Length);
    }

    [Theory]
    [InlineData("\"body\":\"a=b\"", "text/plain; charset=utf-8")]
    [InlineData("\"body\":\"a=b\",\"headers\":{\"content-type\":\"application/x-www-form-urlencoded\"}", "application/x-www-form-urlencoded")]
    public async Task A_text_is_sent_as_it_is(string parameters, string contentType)
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(await RunAsync($"{{\"method\":\"PUT\",\"url\":\"{server.Url}/echo\",{parameters}}}"));
        Assert.Equal("a=b", completed.Outputs.GetProperty("body").GetProperty("body").GetString());
        Assert.Equal(contentType, completed.Outputs.GetProperty("body").GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_key_of_the_workflow_wins_over_the_identity()
    {
        await RunAsync($"{{\"url\":\"{server.Url}/text\",\"headers\":{{\"Idempotency-Key\":\"order-42\"}}}}");
        Assert.Equal(["order-42"], server.IdempotencyKeys);
    }

    [Theory]
    [InlineData(404, false)]
    [InlineData(409, false)]
    [InlineData(304, false)]
    [InlineData(408, true)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    public async Task Another_status_is_a_failure_and_some_may_pass(int status, bool retryable)
    {
        var error = await FailAsync($"{{\"method\":\"POST\",\"url\":\"{server.Url}/status/{status}\"}}");
        Assert.Equal(("http_status", retryable), (error.Code, error.Retryable));
        Assert.Equal($"{{\"status\":{status}}}", error.Details?.GetRawText());

        await FailAsync($"{{\"method\":\"POST\",\"url\":\"{server.Url}/status/{status}\"}}", attempt: 1);
        Assert.Equal(retryable ? 2 : 1, server.Calls.Count);
    }

    [Theory]
    [InlineData("404", 404, true)]
    [InlineData("[200,404]", 404, true)]
    [InlineData("201", 200, false)]
    [InlineData("[503]", 503, true)]
    public async Task The_expected_status_can_be_another(string expected, int status, bool isSuccess)
    {
        var outcome = await RunAsync($"{{\"url\":\"{server.Url}/status/{status}\",\"expectStatus\":{expected}}}");
        Assert.Equal(isSuccess, outcome is NodeOutcome.Completed);
    }

    [Fact]
    public async Task All_attempts_carry_the_same_idempotency_key_and_success_is_kept()
    {
        var config = $"{{\"method\":\"POST\",\"url\":\"{server.Url}/flaky\"}}";

        await FailAsync(config, attempt: 0);
        await FailAsync(config, attempt: 1);
        var first = Assert.IsType<NodeOutcome.Completed>(await RunAsync(config, attempt: 2));
        var again = Assert.IsType<NodeOutcome.Completed>(await RunAsync(config, attempt: 3));

        Assert.Equal(3, server.Calls.Count);
        Assert.Single(server.IdempotencyKeys.Distinct());
        Assert.Equal(first.Outputs.GetRawText(), again.Outputs.GetRawText());
    }

    [Theory]
    [InlineData("/slow")]
    [InlineData("/slow-body")]
    public async Task An_answer_that_does_not_come_in_time_may_come_later(string path)
    {
        var error = await FailAsync($"{{\"url\":\"{server.Url}{path}\",\"timeoutMs\":200}}");
        Assert.Equal(("http_timeout", true), (error.Code, error.Retryable));

        await FailAsync($"{{\"url\":\"{server.Url}{path}\",\"timeoutMs\":200}}", attempt: 1);
        Assert.Single(server.IdempotencyKeys.Distinct());
    }

    [Fact]
    public async Task A_refused_connection_may_succeed_later()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var error = await FailAsync($"{{\"url\":\"http://{socket.LocalEndPoint}/\"}}");
        Assert.Equal(("http_connect_failed", true), (error.Code, error.Retryable));
    }

    [Fact]
    public async Task A_broken_answer_may_be_whole_later()
    {
        var error = await FailAsync($"{{\"url\":\"{server.Url}/break\"}}");
        Assert.Equal(("http_connect_failed", true), (error.Code, error.Retryable));
    }

    [Theory]
    [InlineData("/bytes/1048577", "")]
    [InlineData("/bytes/11", ",\"maxResponseBytes\":10")]
    [InlineData("/bomb", "")]
    public async Task A_larger_answer_than_allowed_is_refused(string path, string limit)
    {
        var error = await FailAsync($"{{\"url\":\"{server.Url}{path}\"{limit}}}");
        Assert.Equal(("http_response_too_large", false), (error.Code, error.Retryable));
    }

    [Theory]
    [InlineData("/bytes/1048576", "")]
    [InlineData("/bytes/10", ",\"maxResponseBytes\":10")]
    public async Task An_answer_may_be_as_large_as_allowed(string path, string limit) =>
        Assert.IsType<NodeOutcome.Completed>(await RunAsync($"{{\"url\":\"{server.Url}{path}\"{limit}}}"));

    [Fact]
    public async Task A_large_answer_is_asked_for_again_only_when_that_changes_nothing()
    {
        var get = $"{{\"url\":\"{server.Url}/bytes/2000000\",\"maxResponseBytes\":3000000}}";
        await RunAsync(get);
        Assert.IsType<NodeOutcome.Completed>(await RunAsync(get));
        Assert.Equal(2, server.Calls.Count);

        var post = $"{{\"method\":\"POST\",\"url\":\"{server.Url}/bytes/2000000\",\"maxResponseBytes\":3000000}}";
        Assert.IsType<NodeOutcome.Completed>(await RunAsync(post));
        Assert.Equal("activity_result_not_kept", (await FailAsync(post)).Code);
        Assert.Equal(3, server.Calls.Count);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        var error = await FailAsync($"{{\"url\":\"{server.Url}/redirect\"}}");
        Assert.Equal("{\"status\":302}", error.Details?.GetRawText());
        Assert.Equal(["GET /redirect"], server.Calls);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://localhost/")]
    [InlineData("http://user:secret@example.com/")]
    public async Task Private_addresses_are_denied_unless_allowed(string url)
    {
        using var http = new EgressHttp(EgressPolicy.Default);
        var node = new NodeHarness { TypeId = "core.http.request", RunId = database.RunId, Config = $"{{\"url\":\"{url}\"}}" };

        var outcome = await new HttpRequestNode(http).ExecuteAsync(node.NewContext(owner.For(node)), CancellationToken.None);

        var error = Assert.IsType<NodeOutcome.Failed>(outcome).Error;
        Assert.Equal(("egress_denied", false), (error.Code, error.Retryable));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"url\":\"/relative\"}")]
    [InlineData("{\"url\":\"ftp://example.com/\"}")]
    [InlineData("{\"url\":\"URL\",\"method\":\"TRACE\"}")]
    [InlineData("{\"url\":\"URL\",\"method\":\"CONNECT\"}")]
    [InlineData("{\"url\":\"URL\",\"timeoutMs\":0}")]
    [InlineData("{\"url\":\"URL\",\"timeoutMs\":120001}")]
    [InlineData("{\"url\":\"URL\",\"maxResponseBytes\":4194305}")]
    [InlineData("{\"url\":\"URL\",\"followRedirects\":true}")]
    [InlineData("{\"url\":\"URL\",\"expectStatus\":\"2xx\"}")]
    [InlineData("{\"url\":\"URL\",\"expectStatus\":[101]}")]
    [InlineData("{\"url\":\"URL\",\"query\":{\"a\":{}}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":[]}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\":{}}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"\":\"x\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X Y\":\"x\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X:Y\":\"x\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\\r\\nEvil\":\"x\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\":\"a\\r\\nEvil: b\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\":\"a\\nb\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\":\"a\\u0000b\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"X\":\"é\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"Host\":\"x\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"content-length\":\"1\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"Transfer-Encoding\":\"chunked\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"Connection\":\"close\"}}")]
    [InlineData("{\"url\":\"URL\",\"headers\":{\"Proxy-Authorization\":\"x\"}}")]
    public async Task Parameters_that_make_no_request_are_refused(string config)
    {
        var error = await FailAsync(config.Replace("URL", server.Url, StringComparison.Ordinal));
        Assert.Equal(("config_invalid", false), (error.Code, error.Retryable));
        Assert.Empty(server.Calls);
        Assert.Empty(await database.RowsAsync());
    }

    [Fact]
    public async Task A_cancelled_attempt_ends_at_once()
    {
        using var cancelled = new CancellationTokenSource();
        var attempt = RunAsync($"{{\"url\":\"{server.Url}/slow\"}}", cancellationToken: cancelled.Token);
        await Testing.Eventually.TrueAsync(() => !server.Calls.IsEmpty);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => attempt);
    }

    private async Task<NodeOutcome> RunAsync(
        string config,
        string inputs = "{}",
        int attempt = 0,
        CancellationToken cancellationToken = default)
    {
        var node = new NodeHarness { TypeId = "core.http.request", RunId = database.RunId, Config = config, Inputs = inputs, Attempt = attempt };
        return await node.RunAsync(owner.For(node), cancellationToken);
    }

    private async Task<NodeError> FailAsync(string config, int attempt = 0) =>
        Assert.IsType<NodeOutcome.Failed>(await RunAsync(config, attempt: attempt)).Error;
}
