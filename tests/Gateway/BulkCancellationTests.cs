using System.Text.Json;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.Protocol.Errors;
using CancelRunReply = OpenWop.Micro.Contracts.Runs.V1.CancelRunReply;
using CancelRunRequest = OpenWop.Micro.Contracts.Runs.V1.CancelRunRequest;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class BulkCancellationTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _gateway = await GatewayHost.StartAsync();
        _gateway.Services.CancelRun = static request => request.RunId switch
        {
            "none" => throw new ProtocolException(ProtocolError.NotFound("run")),
            "over" => throw new ProtocolException(new(ErrorCodes.RunTerminal, "The run is over.", new() { ["runStatus"] = "completed" })),
            var id => new CancelRunReply { RunId = id, Status = "cancelled" },
        };
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Results_keep_order_and_duplicates_and_failures_stay_with_their_run()
    {
        const string Body = """{"runIds":["b","none","a","b","over","a:diff"],"reason":"enough"}""";
        var response = await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", Body);
        Assert.Equal(200, (int)response.StatusCode);
        var results = (await response.JsonAsync()).GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(
            ["b cancelled", "none not_found", "a cancelled", "b cancelled", "over run_terminal", "a:diff not_found"],
            results.Select(item => $"{item.GetProperty("runId").GetString()} {OutcomeOf(item)}"));
        Assert.Equal("completed", results[4].GetProperty("error").GetProperty("details").GetProperty("runStatus").GetString());

        var cancelled = _gateway.Services.Received.Cast<CancelRunRequest>().ToArray();
        Assert.Equal(["a", "b", "none", "over"], cancelled.Select(request => request.RunId).Order());
        Assert.All(cancelled, request => Assert.Equal("enough", request.Reason));
    }

    [Fact]
    public async Task Grpc_says_the_same()
    {
        var reply = await _gateway.Engine.BulkCancelRunsAsync(new BulkCancelRunsRequest { RunIds = { "a", "none", "a" } }, GatewayHost.GrpcHeaders());
        Assert.Equal([("a", true, "cancelled"), ("none", false, ""), ("a", true, "cancelled")], reply.Results.Select(item => (item.RunId, item.Ok, item.Status)));
        Assert.Equal("not_found", JsonElement.Parse(reply.Results[1].Error.Span).GetProperty("error").GetString());
        Assert.True(reply.Results[0].Error.IsEmpty);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"runIds":[]}""")]
    [InlineData("""{"runIds":"a"}""")]
    [InlineData("""{"runIds":["a",1]}""")]
    [InlineData("""{"runIds":[""]}""")]
    [InlineData("""{"runIds":["a"],"force":true}""")]
    public async Task A_bad_request_cancels_nothing(string body)
    {
        await (await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", body)).ErrorAsync(400, "validation_error");
        Assert.Empty(_gateway.Services.Received);
    }

    [Fact]
    public async Task Too_many_ids_are_refused_with_the_limit()
    {
        var body = JsonSerializer.Serialize(new { runIds = Enumerable.Range(0, 101).Select(index => $"run-{index}") });
        var error = await (await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", body)).ErrorAsync(400, "validation_error");
        Assert.Equal(100, error.GetProperty("details").GetProperty("maxRunIds").GetInt32());
        Assert.Empty(_gateway.Services.Received);
    }

    [Fact]
    public async Task The_scope_is_checked_for_the_call_as_a_whole() =>
        await (await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", """{"runIds":["a"]}""", GatewayHost.ReaderKey)).ErrorAsync(403, "forbidden");

    [Fact]
    public async Task A_retry_gets_the_first_answer()
    {
        const string Body = """{"runIds":["a","none"]}""";
        var first = await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", Body, headers: ("Idempotency-Key", "k"));
        var second = await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", Body, headers: ("Idempotency-Key", "k"));
        Assert.Equal("true", second.Header("openwop-Idempotent-Replay"));
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal(2, _gateway.Services.Received.Count);
    }

    [Fact]
    public async Task What_passes_by_itself_is_tried_again_by_a_retry()
    {
        const string Body = """{"runIds":["a","away"]}""";
        var calls = 0;
        var cancel = _gateway.Services.CancelRun;
        _gateway.Services.CancelRun = request => request.RunId == "away" && Interlocked.Increment(ref calls) == 1
            ? throw new ProtocolException(new(ErrorCodes.ServiceUnavailable, "Not now."))
            : cancel(request);
        var first = await (await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", Body, headers: ("Idempotency-Key", "k"))).JsonAsync();
        Assert.Equal("service_unavailable", OutcomeOf(first.GetProperty("results")[1]));
        var second = await (await _gateway.SendAsync("POST", "/v1/runs:bulk-cancel", Body, headers: ("Idempotency-Key", "k"))).JsonAsync();
        Assert.Equal("cancelled", OutcomeOf(second.GetProperty("results")[1]));
    }

    private static string OutcomeOf(JsonElement item) =>
        item.GetProperty("ok").GetBoolean() ? item.GetProperty("status").GetString()! : item.GetProperty("error").GetProperty("error").GetString()!;
}
