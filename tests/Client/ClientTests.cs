using System.Net;
using System.Text.Json;
using OpenWop.Micro.Client.Runs;
using static OpenWop.Micro.Client.Tests.ScriptedServer;

namespace OpenWop.Micro.Client.Tests;

public sealed class ClientTests
{
    private const string Created = """{"runId":"r","status":"running","eventsUrl":"http://x/r"}""";
    private const string Running = """{"runId":"r","workflowId":"w","status":"running"}""";
    private const string Completed = """{"runId":"r","workflowId":"w","status":"completed","somethingNew":{"a":1}}""";

    [Fact]
    public async Task A_run_is_created_with_one_idempotency_key_however_often_it_takes()
    {
        await using var server = await StartAsync(Abort, Json(503, "{}"), Json(201, Created));

        var run = await server.Client.Runs.CreateAsync(new NewRun { WorkflowId = "w", Inputs = JsonElement.Parse("""{"n":9007199254740993}""") });

        Assert.Equal("r", run.RunId);
        Assert.Equal(3, server.Requests.Count);
        Assert.Single(server.Requests.Select(request => request.Headers["Idempotency-Key"].ToString()).Distinct());
        Assert.All(server.Requests, request =>
        {
            Assert.Equal(("POST", "/base/v1/runs"), (request.Method, request.Path));
            Assert.Equal("""{"workflowId":"w","inputs":{"n":9007199254740993}}""", request.Body);
            Assert.Equal("Bearer hk_secret", request.Headers.Authorization);
        });
    }

    [Fact]
    public async Task What_could_have_been_done_already_is_not_done_again()
    {
        await using var server = await StartAsync(Json(503, """{"error":"service_unavailable","message":"Later."}"""), Json(201, "{}"));

        var refused = await Assert.ThrowsAsync<OpenWopException>(() => server.Client.Keys.CreateAsync("k", ["runs:read"]));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "service_unavailable", "Later."), (refused.Status, refused.Code, refused.Message));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_broken_connection_repeats_no_call_without_an_idempotency_key()
    {
        await using var server = await StartAsync(Abort, Json(201, "{}"));

        await Assert.ThrowsAsync<HttpRequestException>(() => server.Client.Keys.CreateAsync("k", ["runs:read"]));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_call_that_came_too_early_is_repeated_when_the_server_says()
    {
        await using var server = await StartAsync(
            Json(429, """{"error":"rate_limited","message":"Slowly.","retryAfterMs":30}""", ("Retry-After", "60")),
            Json(201, """{"id":"w","workflow":{},"version":1}"""));
        var started = System.Diagnostics.Stopwatch.StartNew();

        var made = await server.Client.Workflows.CreateAsync("w");

        Assert.Equal(1, made.Version);
        Assert.InRange(started.ElapsedMilliseconds, 25, 30_000);
    }

    [Fact]
    public async Task An_answer_that_is_no_success_is_told_with_everything_that_the_server_said()
    {
        await using var server = await StartAsync(Json(412, """{"error":"version_mismatch","message":"Newer.","current":7}"""), c => Html(c));

        var stale = await Assert.ThrowsAsync<OpenWopException>(() => server.Client.Workflows.PatchAsync("a/b", 6, JsonElement.Parse("[]")));
        var proxy = await Assert.ThrowsAsync<OpenWopException>(() => server.Client.Runs.GetAsync("r"));

        Assert.Equal(7, stale.Body.GetProperty("current").GetInt32());
        Assert.Equal("/base/api/workflows/a%2Fb/operations", server.Requests.First().Path);
        Assert.Equal("6", server.Requests.First().Headers.IfMatch);
        Assert.Equal(("", JsonValueKind.Undefined), (proxy.Code, proxy.Body.ValueKind));

        static Task Html(Microsoft.AspNetCore.Http.HttpContext context)
        {
            context.Response.StatusCode = 403;
            context.Response.ContentType = "text/html";
            return Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "<h1>No</h1>");
        }
    }

    [Fact]
    public async Task A_stream_that_breaks_goes_on_after_the_last_event_and_delivers_each_once()
    {
        await using var server = await StartAsync(Frames(0, 1), Json(200, Running), BrokenFrames(3), Json(200, Running), Json(503, "{}"), Frames(4, 9));

        var events = await server.Client.Runs.StreamAsync("r").ToListAsync();

        Assert.Equal([0, 1, 3, 4, 9], events.Select(runEvent => runEvent.Sequence));
        var streams = server.Requests.Where(request => request.Path.Contains("/events", StringComparison.Ordinal)).ToList();
        Assert.Equal(["", "1", "3", "3"], streams.Select(request => request.Headers["Last-Event-ID"].ToString()));
        Assert.All(streams, request => Assert.Equal("text/event-stream", request.Headers.Accept));
    }

    [Fact]
    public async Task A_stream_of_a_run_that_is_over_ends_even_if_its_end_was_seen_before()
    {
        await using var server = await StartAsync(Frames(), Json(200, Completed), Frames(), Json(200, Completed));

        Assert.Empty(await server.Client.Runs.StreamAsync("r", lastEventId: "9").ToListAsync());
    }

    [Fact]
    public async Task A_stream_of_a_run_that_does_not_exist_is_refused()
    {
        await using var server = await StartAsync(Json(404, """{"error":"not_found","message":"The run does not exist."}"""));

        var refused = await Assert.ThrowsAsync<OpenWopException>(async () => await server.Client.Runs.StreamAsync("r").ToListAsync());
        Assert.Equal("not_found", refused.Code);
    }

    [Fact]
    public async Task Pages_are_followed_to_the_end_and_unknown_members_are_no_obstacle()
    {
        await using var server = await StartAsync(
            Json(200, """{"data":[{"id":"a","version":1,"new":true}],"pagination":{"next":"c 1"}}"""),
            Json(200, """{"data":[{"id":"b","name":"B","version":2}],"pagination":{"next":null}}"""));

        var workflows = await server.Client.Workflows.ListAllAsync().ToListAsync();

        Assert.Equal(["a", "b"], workflows.Select(workflow => workflow.Id));
        Assert.Equal("/base/api/workflows?after=c%201", server.Requests.Last().Path);
    }

    [Fact]
    public async Task A_server_that_stays_away_is_told_after_the_last_attempt()
    {
        await using var server = await StartAsync(Abort, Abort, Abort, Abort, Abort, Json(200, Running));

        await Assert.ThrowsAsync<HttpRequestException>(() => server.Client.Runs.GetAsync("r"));
        Assert.Equal(5, server.Requests.Count);
    }
}
