using System.Text;
using OpenWop.Micro.Contracts.Runs.V1;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class ErrorEnvelopeTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayHost.StartAsync(settings: "--OPENWOP_MAX_REQUEST_BODY_BYTES=2048");

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Theory]
    [InlineData("GET", "/", 400, "unversioned_path")]
    [InlineData("GET", "/runs", 400, "unversioned_path")]
    [InlineData("POST", "/runs", 400, "unversioned_path")]
    [InlineData("GET", "/version/x", 400, "unversioned_path")]
    [InlineData("GET", "/v1", 404, "not_found")]
    [InlineData("GET", "/v1/nothing", 404, "not_found")]
    [InlineData("GET", "/v2/runs", 404, "not_found")]
    [InlineData("GET", "/.well-known/other", 404, "not_found")]
    [InlineData("DELETE", "/v1/runs", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/runs", 405, "method_not_allowed")]
    [InlineData("POST", "/.well-known/openwop", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/runs/unknown", 404, "not_found")]
    [InlineData("GET", "/v1/runs/run-1:verb", 404, "not_found")]
    [InlineData("GET", "/v1/runs/run-1%3Averb", 404, "not_found")]
    [InlineData("POST", "/v1/runs/run-1:unknown", 404, "not_found")]
    [InlineData("GET", "/v1/runs/run-1:pause", 404, "not_found")]
    [InlineData("DELETE", "/v1/runs/run-1", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/runs/unknown/events", 404, "not_found")]
    [InlineData("GET", "/v1/runs/unknown/events/poll", 404, "not_found")]
    [InlineData("GET", "/v1/runs/run-1/events?streamMode=nonsense", 400, "unsupported_stream_mode")]
    [InlineData("GET", "/v1/runs/run-1/events?streamMode=values,updates", 400, "unsupported_stream_mode")]
    [InlineData("GET", "/v1/runs/run-1/events?streamMode=", 400, "unsupported_stream_mode")]
    [InlineData("GET", "/v1/runs/run-1/events?bufferMs=5001", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/run-1/events?bufferMs=-1", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/run-1/events?bufferMs=1.5", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/run-1/events/poll?lastSequence=-1", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/run-1/events/poll?lastSequence=x", 400, "validation_error")]
    [InlineData("GET", "/v1/runs/run-1/events/poll?timeout=soon", 400, "validation_error")]
    [InlineData("GET", "/v1/workflows/unknown", 404, "not_found")]
    public async Task Every_refusal_has_the_closed_envelope(string method, string path, int status, string code) =>
        await (await _gateway.SendAsync(method, path)).ErrorAsync(status, code);

    [Theory]
    [InlineData("/v1/runs/run-1/cancel", "{", 400, "validation_error")]
    [InlineData("/v1/runs/run-1/cancel", "[]", 400, "validation_error")]
    [InlineData("/v1/runs/run-1/cancel", """{"reason":1}""", 400, "validation_error")]
    [InlineData("/v1/runs/run-1/cancel", """{"reason":"\ud800"}""", 400, "validation_error")]
    public async Task A_bad_body_has_the_closed_envelope(string path, string body, int status, string code) =>
        await (await _gateway.SendAsync("POST", path, body)).ErrorAsync(status, code);

    [Fact]
    public async Task A_method_that_is_not_served_names_those_that_are()
    {
        var response = await _gateway.SendAsync("DELETE", "/v1/runs");
        await response.ErrorAsync(405, "method_not_allowed");
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_registry_that_is_not_there_does_not_answer_in_json()
    {
        var response = await _gateway.SendAsync("GET", "/v1/packs/-/search?q=", key: "");
        Assert.Equal((404, "text/plain"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "text/plain"));
        Assert.DoesNotContain("{", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_413_however_it_is_sent()
    {
        var large = $$"""{"workflowId":"{{new string('x', 3000)}}"}""";
        await (await _gateway.SendAsync("POST", "/v1/runs", large)).ErrorAsync(413, "payload_too_large");
        await (await _gateway.SendAsync("POST", "/v1/runs", large, headers: ("Transfer-Encoding", "chunked"))).ErrorAsync(413, "payload_too_large");
        Assert.Empty(_gateway.Services.Received);
    }

    [Fact]
    public async Task A_body_of_another_media_type_is_415()
    {
        using var form = new StringContent("workflowId=w", Encoding.UTF8, "application/x-www-form-urlencoded");
        _gateway.Http.DefaultRequestHeaders.Authorization = new("Bearer", GatewayHost.Key);
        await (await _gateway.Http.PostAsync("/v1/runs", form)).ErrorAsync(415, "unsupported_media_type");
    }

    [Fact]
    public async Task An_unexpected_failure_is_500_with_a_correlation_id_and_nothing_else()
    {
        _gateway.Services.CreateRun = _ => throw new InvalidOperationException("secret thing");
        var envelope = await (await _gateway.SendAsync("POST", "/v1/runs", """{"workflowId":"w"}""")).ErrorAsync(500, "internal_error");
        Assert.NotEmpty(envelope.GetProperty("details").GetProperty("correlationId").GetString()!);
        Assert.DoesNotContain("secret thing", envelope.GetRawText());
    }

    [Fact]
    public async Task A_service_that_is_away_is_503_and_says_when_to_come_back()
    {
        _gateway.Services.CreateRun = _ => throw new global::Grpc.Core.RpcException(new(global::Grpc.Core.StatusCode.Unavailable, "connection refused to 10.0.0.1"));
        var response = await _gateway.SendAsync("POST", "/v1/runs", """{"workflowId":"w"}""");
        var envelope = await response.ErrorAsync(503, "service_unavailable");
        Assert.DoesNotContain("10.0.0.1", envelope.GetRawText());
        Assert.Equal("1", response.Header("Retry-After"));
    }

    [Fact]
    public async Task Documents_pass_through_byte_for_byte() =>
        Assert.Equal(_gateway.Services.Snapshots["run-1"], await (await _gateway.SendAsync("GET", "/v1/runs/run-1")).Content.ReadAsStringAsync());

    [Fact]
    public async Task A_cancel_may_come_without_a_body_and_with_unknown_members()
    {
        Assert.Equal(200, (int)(await _gateway.SendAsync("POST", "/v1/runs/run-1/cancel")).StatusCode);
        Assert.Equal(200, (int)(await _gateway.SendAsync("POST", "/v1/runs/run-1/cancel", """{"reason":"enough","more":1}""")).StatusCode);
        Assert.Equal(["", "enough"], _gateway.Services.Received.Cast<CancelRunRequest>().Select(request => request.Reason));
    }
}
