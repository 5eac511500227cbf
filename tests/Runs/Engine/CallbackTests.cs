using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class CallbackTests
{
    private static readonly Dictionary<string, string> Definitions = new()
    {
        ["gated"] = Workflows.Chain("gated", [("gate", "core.approvalGate", "{}")]),
        ["credential"] = Workflows.Chain("credential", [("gate", "core.approvalGate", """{"profile":"openwop-interrupt-auth-required"}"""), ("next", "core.noop", "{}")]),
    };

    [Fact]
    public async Task Whoever_asked_for_it_is_told_where_to_answer_until_it_takes_it()
    {
        await using var receiver = await Receiver.StartAsync(HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK);
        await using var host = await EngineHost.StartAsync(
            Definitions, arguments: ["--OPENWOP_PUBLIC_URL=https://wop.example.com", "--OPENWOP_EGRESS_ALLOW_PRIVATE=true"]);
        var runId = await host.CreateAsync($$"""{"workflowId":"gated","callbackUrl":"{{receiver.Url}}"}""");
        var refused = await receiver.NextAsync();
        var taken = await receiver.NextAsync();
        Assert.Equal(refused.Key, taken.Key);
        Assert.Equal((runId, "gate", "approval"), (Text(taken.Body, "runId"), Text(taken.Body, "nodeId"), Text(taken.Body, "kind")));
        var token = Text(taken.Body, "interruptToken");
        Assert.Equal($"https://wop.example.com/v1/interrupts/{Uri.EscapeDataString(token)}", Text(taken.Body, "callbackUrl"));
        await host.Client.ResolveInterruptByTokenAsync(new ResolveInterruptByTokenRequest { Token = token, ResumeValue = ByteString.CopyFromUtf8("""{"action":"accept"}""") });
        Assert.Equal("run.completed", Workflows.TypeOf((await host.LogAsync(runId))[^1]));
    }

    [Fact]
    public async Task Interrupts_that_take_a_credential_are_not_handed_out()
    {
        await using var receiver = await Receiver.StartAsync(HttpStatusCode.OK);
        await using var host = await EngineHost.StartAsync(
            Definitions, arguments: ["--OPENWOP_PUBLIC_URL=https://wop.example.com", "--OPENWOP_EGRESS_ALLOW_PRIVATE=true"]);
        await host.SnapshotAsync(await host.CreateAsync($$"""{"workflowId":"credential","callbackUrl":"{{receiver.Url}}"}"""), "waiting-approval");
        var open = await host.CreateAsync($$"""{"workflowId":"gated","callbackUrl":"{{receiver.Url}}"}""");
        Assert.Equal(open, Text((await receiver.NextAsync()).Body, "runId"));
    }

    [Fact]
    public async Task The_snapshot_names_the_address_under_which_the_caller_knows_the_server()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await host.CreateAsync("""{"workflowId":"gated"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        var reply = await host.Client.GetRunAsync(new GetRunRequest { RunId = runId, BaseUrl = "http://here" }, host.Headers);
        var interrupt = JsonElement.Parse(reply.Snapshot.Span).GetProperty("interrupt");
        Assert.Equal($"http://here/v1/interrupts/{Text(interrupt, "interruptToken")}", Text(interrupt, "callbackUrl"));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private sealed class Receiver(WebApplication app, Channel<(string Key, JsonElement Body)> received) : IAsyncDisposable
    {
        public string Url => $"{app.Urls.Single()}/hook";

        /// <param name="statuses">What the calls get, the last one again and again.</param>
        public static async Task<Receiver> StartAsync(params HttpStatusCode[] statuses)
        {
            var received = Channel.CreateUnbounded<(string, JsonElement)>();
            var calls = -1;
            var builder = WebApplication.CreateBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.MapPost("/hook", async (HttpContext context) =>
            {
                using var body = await JsonDocument.ParseAsync(context.Request.Body);
                await received.Writer.WriteAsync(((string)context.Request.Headers["Idempotency-Key"]!, body.RootElement.Clone()));
                context.Response.StatusCode = (int)statuses[Math.Min(Interlocked.Increment(ref calls), statuses.Length - 1)];
            });
            await app.StartAsync();
            return new Receiver(app, received);
        }

        public async Task<(string Key, JsonElement Body)> NextAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            return await received.Reader.ReadAsync(limit.Token);
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
