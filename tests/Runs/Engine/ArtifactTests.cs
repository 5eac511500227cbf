using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Schemas;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class ArtifactTests
{
    private static readonly Dictionary<string, string> Definitions = new()
    {
        ["makes"] = Workflows.Chain("makes",
        [
            ("report", "core.artifact.create", """{"artifactType":"report","title":"Q1","data":{"total":12345678901234567890}}"""),
            ("gate", "core.approvalGate", "{}"),
            ("again", "core.artifact.create", """{"artifactType":"report","artifactId":"report.0.0","data":{"total":2}}"""),
        ]),
        ["hides"] = Workflows.Chain("hides", [("secret", "core.artifact.create", """{"data":"top-secret-value"}""")])
            .Replace("\"inputs\":{}}", "\"inputs\":{},\"outputSensitivity\":{\"data\":true}}", StringComparison.Ordinal),
        ["large"] = Workflows.Chain("large", [("large", "core.artifact.create", $$"""{"data":"{{new string('x', 1024 * 1024)}}"}""")]),
    };

    [Fact]
    public async Task An_artifact_is_announced_and_read_and_the_newest_version_wins()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await host.CreateAsync("""{"workflowId":"makes"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        var first = await ArtifactAsync(host, runId, "report.0.0");
        Assert.Equal("1", first.GetProperty("version").GetString());
        Assert.Equal("12345678901234567890", first.GetProperty("data").GetProperty("total").GetRawText());
        await host.AnswerAsync(runId, "gate", """{"action":"accept"}""");
        var log = await host.LogAsync(runId);
        var created = log.Where(@event => Workflows.TypeOf(@event) == "artifact.created").ToList();
        Assert.Equal(["1", "2"], created.Select(@event => @event.GetProperty("payload").GetProperty("version").GetString()));
        Assert.All(created, @event => Assert.Empty(SchemaRegistry.PublishedPart("run-event-payloads", "artifactCreated").Validate(@event.GetProperty("payload"))));
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "artifact.created" && @event.GetProperty("payload").TryGetProperty("data", out _));
        var second = await ArtifactAsync(host, runId, "report.0.0");
        Assert.Equal(("2", 2), (second.GetProperty("version").GetString(), second.GetProperty("data").GetProperty("total").GetInt32()));
        Assert.Equal(2, (await host.SnapshotAsync(runId)).GetProperty("artifacts")[0].GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Artifacts_outlive_the_process_and_forks_have_them()
    {
        var host = await EngineHost.StartAsync(Definitions);
        var runId = await host.CreateAsync("""{"workflowId":"makes"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        await second.AnswerAsync(runId, "gate", """{"action":"accept"}""");
        var log = await second.LogAsync(runId);
        var before = await ArtifactAsync(second, runId, "report.0.0");
        foreach (var (mode, from) in new[] { ("replay", 0), ("replay", 4), ("branch", log.Count - 1) })
        {
            var fork = await second.Client.ForkRunAsync(
                new ForkRunRequest { RunId = runId, Body = Google.Protobuf.ByteString.CopyFromUtf8($$"""{"mode":"{{mode}}","fromSeq":{{from}}}""") }, second.Headers);
            var repeated = await second.LogAsync(fork.RunId);
            Assert.DoesNotContain(repeated, @event => Workflows.TypeOf(@event) == "replay.diverged");
            var copy = await ArtifactAsync(second, fork.RunId, "report.0.0");
            Assert.Equal(before.GetProperty("contentDigest").GetString(), copy.GetProperty("contentDigest").GetString());
            Assert.Equal("2", copy.GetProperty("version").GetString());
        }
    }

    [Fact]
    public async Task Sensitive_data_is_masked_and_large_data_refused()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var hiding = await host.CreateAsync("""{"workflowId":"hides"}""");
        var log = await host.LogAsync(hiding);
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "artifact.created" && @event.GetRawText().Contains("sha256", StringComparison.Ordinal));
        Assert.Equal("[REDACTED]", (await ArtifactAsync(host, hiding, "secret.0.0")).GetProperty("data").GetString());

        var failing = await host.CreateAsync("""{"workflowId":"large"}""");
        var last = (await host.LogAsync(failing))[^1];
        Assert.Equal("value_too_large", last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
        var missing = await Assert.ThrowsAsync<RpcException>(() => ArtifactAsync(host, failing, "large.0.0"));
        Assert.Equal(StatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Runs_are_compared_by_what_they_did()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var (a, b) = (await host.CreateAsync("""{"workflowId":"makes"}"""), await host.CreateAsync("""{"workflowId":"makes"}"""));
        await host.SnapshotAsync(a, "waiting-approval");
        await host.SnapshotAsync(b, "waiting-approval");
        var waiting = await DiffAsync(host, a, b);
        Assert.Equal(JsonValueKind.Null, waiting.GetProperty("divergedAtSeq").ValueKind);
        Assert.True(waiting.GetProperty("truncated").GetBoolean());

        await host.AnswerAsync(a, "gate", """{"action":"accept"}""");
        await host.LogAsync(a);
        await host.Client.CancelRunAsync(new CancelRunRequest { RunId = b }, host.Headers);
        var diff = await DiffAsync(host, a, b);
        Assert.False(diff.TryGetProperty("truncated", out _));
        var ops = diff.GetProperty("eventDiffs").EnumerateArray().Select(item => item.GetProperty("op").GetString()).ToList();
        Assert.Equal("changed", ops[0]);
        Assert.Contains("removed", ops);
        Assert.Equal(diff.GetProperty("eventDiffs")[0].GetProperty("seq").GetInt32(), diff.GetProperty("divergedAtSeq").GetInt32());
        Assert.Equal("cancelled", diff.GetProperty("stateDiff").GetProperty("status").GetProperty("b").GetString());

        var same = await DiffAsync(host, a, a);
        Assert.Equal(0, same.GetProperty("eventDiffs").GetArrayLength());
        Assert.Empty(same.GetProperty("stateDiff").EnumerateObject());
    }

    private static async Task<JsonElement> ArtifactAsync(EngineHost host, string runId, string artifactId) =>
        JsonElement.Parse((await host.Client.GetArtifactAsync(new GetArtifactRequest { RunId = runId, ArtifactId = artifactId }, host.Headers)).Json.Span);

    private static async Task<JsonElement> DiffAsync(EngineHost host, string a, string b)
    {
        var diff = JsonElement.Parse((await host.Client.DiffRunsAsync(new DiffRunsRequest { RunId = a, Against = b }, host.Headers)).Json.Span);
        Assert.Empty(SchemaRegistry.Published("run-diff-response").Validate(diff));
        return diff;
    }
}
