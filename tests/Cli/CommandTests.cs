using System.Globalization;

namespace OpenWop.Micro.Cli.Tests;

/// <summary>Commands against a real server.</summary>
[Collection(WithServer.Name)]
public sealed class CommandTests(RunningServer server)
{
    private readonly Tool _tool = server.Tool;

    [Fact]
    public async Task Up_logs_in_as_the_first_owner()
    {
        var me = (await _tool.RunAsync("whoami", "--json")).Expecting(0).Json;

        Assert.Equal("Ada's workspace", me.GetProperty("organization").GetProperty("name").GetString());
        Assert.Equal("owner", me.GetProperty("member").GetProperty("role").GetString());
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why_and_leaves_the_one_that_runs_alone()
    {
        var log = Path.Combine(_tool.Folder, "data", "openwop.log");
        var before = await File.ReadAllTextAsync(log);
        var port = new Uri(server.Url).Port.ToString(CultureInfo.InvariantCulture);

        Assert.Contains("address already in use", (await _tool.RunAsync("up", "-p", port, "-d", "other")).Expecting(1).Error, StringComparison.Ordinal);
        Assert.Contains("Another process uses the database", (await _tool.RunAsync("up", "-p", "0", "-d", "data")).Expecting(1).Error, StringComparison.Ordinal);
        Assert.StartsWith(before, await File.ReadAllTextAsync(log), StringComparison.Ordinal);
        (await _tool.RunAsync("whoami")).Expecting(0);
    }

    [Fact]
    public void Nobody_else_can_read_the_credentials()
    {
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_tool.CredentialFile));
        Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(_tool.CredentialFile)!), file => file.Contains(".credentials-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_is_started_watched_and_read()
    {
        await StoreAsync("greeting");

        var watched = (await _tool.RunAsync("run", "greeting", "-i", "name=reader", "--watch")).Expecting(0);
        var piped = (await _tool.RunAsync("run", "greeting", "-i", """{"name":"pipe"}""", "--watch", "--json")).Expecting(0);
        var id = (await _tool.RunAsync("run", "greeting", "-i", "name=x")).Expecting(0).Output.Trim();
        await _tool.RunAsync("runs", "watch", id);
        var read = (await _tool.RunAsync("runs", "get", id, "--json")).Expecting(0).Json;

        Assert.Equal("Hello, reader!", watched.Json.GetProperty("greeting").GetString());
        Assert.Contains("node.completed", watched.Error, StringComparison.Ordinal);
        Assert.Equal("run.started", piped.Lines[0].GetProperty("type").GetString());
        Assert.Equal("completed", piped.Lines[^1].GetProperty("status").GetString());
        Assert.Equal("Hello, x!", read.GetProperty("outputs").GetProperty("greeting").GetString());
    }

    [Fact]
    public async Task A_terminal_shows_how_far_a_run_is()
    {
        await StoreAsync("shown");

        // A terminal of its own, in which the tool draws.
        using var script = _tool.StartProgram("script", "-qec", $"dotnet '{Tool.ProgramPath()}' run shown -i name=eye --watch", "/dev/null");
        script.StandardInput.Close();
        var drawn = await script.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Contains("━━━━━━━━━━━━━━━━━━━━ 2 of 2 done", drawn, StringComparison.Ordinal);
        Assert.Contains("node.completed", drawn, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_idempotency_key_is_the_same_run()
    {
        await StoreAsync("once");

        var first = (await _tool.RunAsync("run", "once", "-i", "name=a", "--idempotency-key", "k-1")).Expecting(0).Output;
        var second = (await _tool.RunAsync("run", "once", "-i", "name=a", "--idempotency-key", "k-1")).Expecting(0).Output;

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_run_that_fails_ends_the_watch_with_its_own_code()
    {
        var file = _tool.WriteFile("fails.json", Workflow("fails", Node("broken", "core.transform", """{"expression":"missing.thing"}""")));
        (await _tool.RunAsync("workflows", "apply", "-f", file)).Expecting(0);

        var outcome = (await _tool.RunAsync("run", "fails", "--watch")).Expecting(7);
        Assert.Contains("failed", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_is_given_and_a_run_is_forked_and_cancelled()
    {
        var file = _tool.WriteFile("asks.json", Workflow("asks", Node("ask", "core.approvalGate", "{}")));
        (await _tool.RunAsync("workflows", "apply", "-f", file)).Expecting(0);
        var id = (await _tool.RunAsync("run", "asks")).Expecting(0).Output.Trim();
        await UntilAsync(id, "waiting-approval");

        (await _tool.RunAsync("runs", "resolve", id)).Expecting(2);
        (await _tool.RunAsync("runs", "resolve", id, "--accept")).Expecting(0);
        (await _tool.RunAsync("runs", "watch", id)).Expecting(0);
        (await _tool.RunAsync("runs", "resolve", id, "--node", "ask", "--accept")).Expecting(5);

        var fork = (await _tool.RunAsync("runs", "fork", id, "--mode", "replay", "--watch", "--json")).Expecting(0);
        Assert.NotEqual(id, fork.Lines[^1].GetProperty("runId").GetString());

        var waiting = (await _tool.RunAsync("run", "asks")).Expecting(0).Output.Trim();
        await UntilAsync(waiting, "waiting-approval");
        (await _tool.RunAsync("runs", "cancel", waiting)).Expecting(0);
        await UntilAsync(waiting, "cancelled");
    }

    [Fact]
    public async Task A_schedule_is_made_listed_switched_and_deleted()
    {
        await StoreAsync("nightly");

        var made = (await _tool.RunAsync("schedules", "add", "nightly", "--cron", "0 3 * * *", "--timezone", "Europe/Berlin", "-i", "name=moon", "--json")).Expecting(0).Json;
        var id = made.GetProperty("id").GetString()!;
        var listed = (await _tool.RunAsync("schedules", "list")).Expecting(0).Output;
        var off = (await _tool.RunAsync("schedules", "disable", id, "--json")).Expecting(0).Json;
        (await _tool.RunAsync("schedules", "enable", id)).Expecting(0);
        var read = (await _tool.RunAsync("schedules", "get", id)).Expecting(0).Json;
        (await _tool.RunAsync("schedules", "add", "nightly", "--cron", "61 * * * *")).Expecting(1);
        (await _tool.RunAsync("schedules", "add", "nightly")).Expecting(2);
        (await _tool.RunAsync("schedules", "add", "nowhere", "--cron", "* * * * *")).Expecting(4);
        var preview = (await _tool.RunAsync("schedules", "preview", id, "-n", "3", "--json")).Expecting(0).Json;
        Assert.Equal(3, preview.GetArrayLength());
        (await _tool.RunAsync("schedules", "delete", id)).Expecting(0);

        Assert.Contains("Europe/Berlin", listed, StringComparison.Ordinal);
        Assert.False(off.GetProperty("enabled").GetBoolean());
        Assert.True(read.GetProperty("enabled").GetBoolean());
        Assert.Equal("moon", read.GetProperty("payload").GetProperty("name").GetString());
        (await _tool.RunAsync("schedules", "get", id)).Expecting(4);
    }

    [Fact]
    public async Task A_schedule_that_comes_round_has_its_run_in_its_history()
    {
        await StoreAsync("often");
        var id = (await _tool.RunAsync("schedules", "add", "often", "--every", "1", "-i", "name=clock", "--overlap", "skip", "--id", "every-second", "--json")).Expecting(0).Json.GetProperty("id").GetString()!;
        (await _tool.RunAsync("schedules", "add", "often", "--every", "1", "--id", "every-second")).Expecting(5);

        await Testing.Eventually.TrueAsync(async () => (await _tool.RunAsync("schedules", "fires", id, "--json")).Expecting(0).Json.EnumerateArray().Any(fire => fire.GetProperty("status").GetString() == "fired"));
        var fires = (await _tool.RunAsync("schedules", "fires", id)).Expecting(0).Output;
        Assert.Contains("every 1 s", (await _tool.RunAsync("schedules", "list")).Expecting(0).Output, StringComparison.Ordinal);
        (await _tool.RunAsync("schedules", "delete", id)).Expecting(0);
        Assert.Contains("run-", fires, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_made_listed_rotated_and_revoked()
    {
        var made = (await _tool.RunAsync("keys", "add", "--name", "ci", "--scope", "runs:read", "--scope", "runs:create", "--json")).Expecting(0).Json;
        var id = made.GetProperty("id").GetString()!;
        Assert.StartsWith("hk_", made.GetProperty("key").GetString(), StringComparison.Ordinal);

        var rotated = (await _tool.RunAsync("keys", "rotate", id, "--json")).Expecting(0).Json;
        (await _tool.RunAsync("keys", "revoke", id)).Expecting(0);
        var keys = (await _tool.RunAsync("keys", "list", "--json")).Expecting(0).Json.EnumerateArray().ToDictionary(
            key => key.GetProperty("id").GetString()!, key => key.GetProperty("status").GetString());

        var quiet = (await _tool.RunAsync("keys", "add", "--scope", "runs:read", "--expires", "2030-01-01T00:00:00Z", "--test", "-q")).Expecting(0).Output.TrimEnd();
        Assert.Matches("^hk_test_[A-Za-z0-9_-]+$", quiet);
        Assert.Equal("revoked", keys[id]);
        Assert.Equal("active", keys[rotated.GetProperty("id").GetString()!]);
    }

    [Fact]
    public async Task An_invited_member_logs_in_with_the_invitation_and_may_do_what_its_role_may()
    {
        var invitation = (await _tool.RunAsync("members", "invite", "viewer", "--name", "Grace", "--json")).Expecting(0).Json;
        using var theirs = new Tool();

        (await theirs.RunWithInputAsync(invitation.GetProperty("token").GetString() + "\n", "login", "--invitation", "-s", server.Url)).Expecting(0);
        var me = (await theirs.RunAsync("whoami", "--json")).Expecting(0).Json;
        var id = me.GetProperty("member").GetProperty("id").GetString()!;
        Assert.Equal("Grace", me.GetProperty("member").GetProperty("name").GetString());
        (await theirs.RunAsync("keys", "list")).Expecting(3);

        (await _tool.RunAsync("members", "role", id, "runner")).Expecting(0);
        (await _tool.RunAsync("members", "remove", id)).Expecting(0);
        (await theirs.RunAsync("whoami")).Expecting(3);
        (await theirs.RunAsync("logout")).Expecting(0);
        Assert.False(File.Exists(theirs.CredentialFile));
    }

    [Fact]
    public async Task Whoever_rotates_its_own_key_stays_logged_in()
    {
        var invitation = (await _tool.RunAsync("members", "invite", "viewer", "--json")).Expecting(0).Json;
        using var theirs = new Tool();
        (await theirs.RunWithInputAsync(invitation.GetProperty("token").GetString() + "\n", "login", "--invitation", "-s", server.Url)).Expecting(0);
        var before = await File.ReadAllTextAsync(theirs.CredentialFile);

        (await theirs.RunAsync("keys", "rotate", "--grace", "0")).Expecting(0);

        Assert.NotEqual(before, await File.ReadAllTextAsync(theirs.CredentialFile));
        (await theirs.RunAsync("whoami")).Expecting(0);
    }

    [Fact]
    public async Task A_secret_is_piped_in_and_never_comes_out_and_the_audit_log_says_who_did_it()
    {
        (await _tool.RunWithInputAsync("a-very-secret-value\n", "secrets", "set", "model", "--description", "Of a model")).Expecting(0);
        Assert.Matches("model +1 +.*Of a model", (await _tool.RunAsync("secrets", "list")).Expecting(0).Output);
        (await _tool.RunWithInputAsync("", "secrets", "set", "model")).Expecting(2);
        (await _tool.RunAsync("secrets", "delete", "model")).Expecting(0);
        (await _tool.RunAsync("secrets", "delete", "model")).Expecting(4);

        var audit = (await _tool.RunAsync("audit")).Expecting(0).Output;
        Assert.Contains("organization.created", audit, StringComparison.Ordinal);
        Assert.DoesNotContain("a-very-secret-value", audit, StringComparison.Ordinal);
        Assert.All((await _tool.RunAsync("audit", "--json")).Expecting(0).Lines, entry => Assert.True(entry.TryGetProperty("action", out _)));
    }

    [Fact]
    public async Task Errors_are_sentences_for_people_and_documents_for_scripts()
    {
        var human = (await _tool.RunAsync("runs", "get", "run-none")).Expecting(4);
        var script = (await _tool.RunAsync("runs", "get", "run-none", "--json")).Expecting(4);

        Assert.Contains("error The run does not exist. (not_found)", human.Error, StringComparison.Ordinal);
        Assert.Empty(human.Output);
        Assert.Equal("not_found", System.Text.Json.JsonElement.Parse(script.Error).GetProperty("error").GetString());
    }

    [Fact]
    public async Task Doctor_is_content_and_says_what_is_wrong_when_it_is_not()
    {
        var fine = (await _tool.RunAsync("doctor", "--json")).Expecting(0).Json;
        Assert.All(fine.EnumerateArray(), check => Assert.True(check.GetProperty("isFine").GetBoolean()));

        using var stranger = new Tool();
        var lost = (await stranger.RunAsync("doctor", "-s", server.Url)).Expecting(1);
        Assert.Contains("not logged in", lost.Output, StringComparison.Ordinal);
    }

    private async Task StoreAsync(string id)
    {
        var transform = Node("greet", "core.transform", """{"expression":"\"Hello, \" + inputs.name + \"!\""}""", """{"name":{"type":"variable","variableName":"name"}}""");
        var end = Node("done", "core.end", "{}", """{"greeting":{"type":"connection","nodeId":"greet","outputKey":"output"}}""");
        var file = _tool.WriteFile(
            id + ".json",
            Workflow(id, $"{transform},{end}", """{"id":"e1","sourceNodeId":"greet","targetNodeId":"done"}""", """{"name":"name","type":"string","required":true}"""));
        (await _tool.RunAsync("workflows", "apply", "-f", file)).Expecting(0);
    }

    private Task UntilAsync(string run, string status) => Testing.Eventually.TrueAsync(
        async () => (await _tool.RunAsync("runs", "get", run, "--json")).Json.GetProperty("status").GetString() == status,
        string.Create(CultureInfo.InvariantCulture, $"run is {status}"));

    private static string Workflow(string id, string nodes, string edges = "", string variables = "") =>
        $$"""{"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":[{{nodes}}],"edges":[{{edges}}],"triggers":[],"variables":[{{variables}}],"metadata":{},"settings":{} }""";

    private static string Node(string id, string typeId, string config, string inputs = "{}") =>
        $$"""{"id":"{{id}}","typeId":"{{typeId}}","name":"{{id}}","position":{"x":0,"y":0},"inputs":{{inputs}},"config":{{config}} }""";
}
