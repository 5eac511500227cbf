using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Idempotency;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>The gateway's half of spec/http-core.md 6.1, on real records.</summary>
public sealed class IdempotencyTests : IAsyncLifetime
{
    private const string Body = """{"workflowId":"w","inputs":{"a":1,"b":[true,null]}}""";
    private const string SameBody = """{ "inputs" : { "b":[true,null], "a": 1.0 }, "workflowId":"\u0077" }""";

    private GatewayHost _gateway = null!;
    private int _created;

    public async Task InitializeAsync()
    {
        _gateway = await GatewayHost.StartAsync();
        _gateway.Services.CreateRun = _ => new CreateRunReply { RunId = "run-" + Interlocked.Increment(ref _created), Status = "running" };
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task A_retry_gets_the_first_answer_and_acts_no_second_time()
    {
        var first = await CreateAsync("k", Body);
        var second = await CreateAsync("k", SameBody);
        Assert.Equal((201, null), ((int)first.StatusCode, first.Header("openwop-Idempotent-Replay")));
        Assert.Equal((201, "true"), ((int)second.StatusCode, second.Header("openwop-Idempotent-Replay")));
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Single(_gateway.Services.Received);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_a_mismatch()
    {
        await CreateAsync("k", Body);
        await (await CreateAsync("k", """{"workflowId":"other"}""")).ErrorAsync(409, "idempotency_key_mismatch");
        Assert.Single(_gateway.Services.Received);
    }

    [Fact]
    public async Task The_same_key_on_another_run_is_a_mismatch_and_on_another_operation_is_fresh()
    {
        Assert.Equal(200, (int)(await _gateway.SendAsync("POST", "/v1/runs/run-1/cancel", headers: ("Idempotency-Key", "k"))).StatusCode);
        await (await _gateway.SendAsync("POST", "/v1/runs/run-2/cancel", headers: ("Idempotency-Key", "k"))).ErrorAsync(409, "idempotency_key_mismatch");
        Assert.Equal(201, (int)(await CreateAsync("k", Body)).StatusCode);
    }

    [Fact]
    public async Task A_call_that_is_still_running_is_a_conflict_for_its_twin()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        _gateway.Services.CreateRun = _ =>
        {
            entered.Release();
            leave.Wait(TimeSpan.FromSeconds(10));
            return new CreateRunReply { RunId = "run-1", Status = "running" };
        };
        var first = CreateAsync("k", Body);
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(10)));
        var twin = await CreateAsync("k", Body);
        var details = (await twin.ErrorAsync(409, "idempotency_in_flight")).GetProperty("details");
        Assert.Equal(1, details.GetProperty("retryAfter").GetInt64());
        Assert.Equal("1", twin.Header("Retry-After"));
        leave.Set();
        Assert.Equal(201, (int)(await first).StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_away_in_the_middle_finds_the_outcome_later(bool overGrpc)
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        _gateway.Services.CreateRun = _ =>
        {
            entered.Release();
            leave.Wait(TimeSpan.FromSeconds(10));
            return new CreateRunReply { RunId = "run-1", Status = "running" };
        };
        using var gone = new CancellationTokenSource();
        var call = overGrpc
            ? _gateway.Engine.CreateRunAsync(
                new() { Body = Google.Protobuf.ByteString.CopyFromUtf8(Body) }, GatewayHost.GrpcHeaders(more: ("idempotency-key", "k")), cancellationToken: gone.Token).ResponseAsync
            : SendAndForgetAsync(gone.Token);
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(10)));
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => call);
        leave.Set();

        await Eventually.TrueAsync(async () => (await CreateAsync("k", Body)).StatusCode == System.Net.HttpStatusCode.Created);
        Assert.Equal("true", (await CreateAsync("k", Body)).Header("openwop-Idempotent-Replay"));
        Assert.Single(_gateway.Services.Received);
    }

    [Theory]
    [InlineData("validation_error", "discard")]
    [InlineData("mock_provider_forbidden", "discard")]
    [InlineData("run_already_active", "discard")]
    [InlineData("capability_required", "keep")]
    [InlineData("run_terminal", "keep")]
    [InlineData("interrupt_expired", "keep")]
    [InlineData("not_found", "keep")]
    [InlineData("rate_limited", "retry")]
    [InlineData("internal_error", "retry")]
    [InlineData("service_unavailable", "retry")]
    [InlineData("deadline_exceeded", "retry")]
    public async Task An_error_is_kept_forgotten_or_retried_by_its_kind(string code, string expected)
    {
        var fail = true;
        _gateway.Services.CreateRun = _ => fail
            ? throw new ProtocolException(new(ErrorCodes.Find(code)!, "No."))
            : new CreateRunReply { RunId = "run-9", Status = "running" };
        await (await CreateAsync("k", Body)).ErrorAsync(ErrorCodes.Find(code)!.HttpStatus, code);
        fail = false;
        var retry = await CreateAsync("k", Body);
        if (expected == "keep")
        {
            await retry.ErrorAsync(ErrorCodes.Find(code)!.HttpStatus, code);
            Assert.Equal("true", retry.Header("openwop-Idempotent-Replay"));
        }
        else
        {
            Assert.Equal((201, null), ((int)retry.StatusCode, retry.Header("openwop-Idempotent-Replay")));
        }

        var requestIds = _gateway.Services.Received.Cast<CreateRunRequest>().Select(request => request.RequestId).ToArray();
        Assert.Equal(expected switch { "keep" => 1, _ => 2 }, requestIds.Length);
        // A retry of something that may have happened has the same request id; a refusal never happened.
        if (requestIds.Length == 2)
            Assert.Equal(expected == "retry", requestIds[0] == requestIds[1]);
    }

    [Fact]
    public async Task Without_a_key_every_call_acts()
    {
        Assert.Equal(201, (int)(await _gateway.SendAsync("POST", "/v1/runs", Body)).StatusCode);
        Assert.Equal(201, (int)(await _gateway.SendAsync("POST", "/v1/runs", Body)).StatusCode);
        Assert.Equal(["", ""], _gateway.Services.Received.Cast<CreateRunRequest>().Select(request => request.RequestId));
    }

    [Fact]
    public async Task Reads_ignore_the_key() =>
        Assert.Equal(200, (int)(await _gateway.SendAsync("GET", "/v1/runs/run-1", headers: ("Idempotency-Key", new string('k', 300)))).StatusCode);

    [Theory]
    [InlineData(255, 201)]
    [InlineData(256, 400)]
    public async Task A_key_has_at_most_255_characters(int length, int status) =>
        Assert.Equal(status, (int)(await CreateAsync(new string('k', length), Body)).StatusCode);

    [Fact]
    public async Task A_run_that_an_earlier_gateway_created_is_answered_as_a_replay()
    {
        _gateway.Services.CreateRun = _ => new CreateRunReply { RunId = "run-1", Status = "running", Replayed = true };
        Assert.Equal("true", (await CreateAsync("k", Body)).Header("openwop-Idempotent-Replay"));
    }

    [Fact]
    public async Task An_entity_tag_is_replayed_too()
    {
        _gateway.Services.PutDefinition = _ => new PutDefinitionReply { Version = 3, Etag = "abc", Created = false };
        var first = await _gateway.SendAsync("PUT", "/v1/workflows/w", """{"id":"w"}""", headers: ("Idempotency-Key", "k"));
        var second = await _gateway.SendAsync("PUT", "/v1/workflows/w", """{"id":"w"}""", headers: ("Idempotency-Key", "k"));
        Assert.Equal((200, "\"abc\""), ((int)first.StatusCode, first.Headers.ETag!.ToString()));
        Assert.Equal((200, "\"abc\"", "true"), ((int)second.StatusCode, second.Headers.ETag!.ToString(), second.Header("openwop-Idempotent-Replay")));
    }

    [Fact]
    public void Member_order_and_spelling_do_not_change_the_digest() =>
        Json.Sample(
            document =>
            {
                var respelled = Respell(document);
                var nodes = (JsonNode.Parse(document.ToJsonString()), respelled);
                Assert.Equal(Digest(nodes.Item1!.ToJsonString()), Digest(respelled.ToJsonString(new JsonSerializerOptions { WriteIndented = true })));
            },
            iter: 300);

    [Fact]
    public void Different_documents_have_different_digests() =>
        Gen.Select(Json, Json).Sample(
            (one, other) => JsonNode.DeepEquals(one, other) == (Digest(one.ToJsonString()) == Digest(other.ToJsonString())),
            iter: 1000);

    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("1", "1e0", true)]
    [InlineData("100", "1E2", true)]
    [InlineData("0.1", "0.10", true)]
    [InlineData("-0", "0", true)]
    [InlineData("1", "\"1\"", false)]
    public void Numbers_are_equal_by_value(string one, string other, bool equal) =>
        Assert.Equal(equal, Digest($"[{one}]") == Digest($"[{other}]"));

    private static readonly Gen<JsonNode> Json = Gen.Recursive<JsonNode>((depth, inner) =>
    {
        var scalar = Gen.OneOf(
            Gen.Int[-5, 5].Select(number => (JsonNode)JsonValue.Create(number)),
            Gen.Double[-2, 2].Select(number => (JsonNode)JsonValue.Create(number)),
            Gen.Bool.Select(flag => (JsonNode)JsonValue.Create(flag)),
            Gen.String[Gen.Char["aé\"\\ ☃"], 0, 3].Select(text => (JsonNode)JsonValue.Create(text)));
        return depth > 3 ? scalar : Gen.OneOf(
            scalar,
            inner.Array[0, 3].Select(items => (JsonNode)new JsonArray([.. items.Select(item => item.DeepClone())])),
            inner.Array[0, 3].Select(items => (JsonNode)new JsonObject(items.Select((item, index) => KeyValuePair.Create("k" + index, (JsonNode?)item.DeepClone())))));
    });

    private static string Digest(string json) => Convert.ToHexString(RequestDigest.OfRequest("", "", System.Text.Encoding.UTF8.GetBytes(json)));

    private static JsonNode Respell(JsonNode node) => node switch
    {
        JsonObject members => new JsonObject(members.Reverse().Select(member => KeyValuePair.Create(member.Key, (JsonNode?)Respell(member.Value!)))),
        JsonArray items => new JsonArray([.. items.Select(item => Respell(item!))]),
        _ => node.DeepClone(),
    };

    private async Task SendAndForgetAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/runs") { Content = new StringContent(Body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", GatewayHost.Key);
        request.Headers.Add("Idempotency-Key", "k");
        (await _gateway.Http.SendAsync(request, cancellationToken)).Dispose();
    }

    private Task<HttpResponseMessage> CreateAsync(string key, string body) => _gateway.SendAsync("POST", "/v1/runs", body, headers: ("Idempotency-Key", key));
}
