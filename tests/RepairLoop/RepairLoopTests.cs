using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenWop.Micro.Client;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Examples.RepairLoop;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.RepairLoop.Tests;

/// <summary>The loop against a real server, with a model that says what its script says.</summary>
public sealed class RepairLoopTests(EmbeddedInstallation host) : IClassFixture<EmbeddedInstallation>, IDisposable
{
    private const string FirstTry = """
        [{"operation_type":"add","block_id":"start","type":"trigger_webhook"},
         {"operation_type":"add","block_id":"pause","type":"wait_duration","params":{"duration":1,"unit":"seconds"}},
         {"operation_type":"add","block_id":"mail","type":"send_email","params":{"to":"{{trigger.address}}"}},
         {"operation_type":"add","block_id":"greet","type":"transform","params":{"template":"Hello, {{pause.name}}!"}},
         {"operation_type":"connect","block_id":"start","target_block_id":"pause"},
         {"operation_type":"connect","block_id":"pause","target_block_id":"greet"},
         {"operation_type":"connect","block_id":"greet","target_block_id":"mail"}]
        """;

    private const string Repair = """[{"operation_type":"edit","block_id":"greet","params":{"template":"Hello, {{trigger.name}}!"}}]""";
    private const string Good = """[{"operation_type":"add","block_id":"t","type":"transform","params":{"template":"Hello!"}}]""";
    private const string Invented = """[{"operation_type":"add","block_id":"t","type":"teleport"}]""";

    private readonly HttpClient _http = new();
    private readonly OpenWopClient _server = new(new OpenWopOptions { BaseAddress = host.Installation.BaseUrl, ApiKey = Installation.Key });

    [Fact]
    public async Task A_sentence_becomes_a_workflow_that_has_run()
    {
        await using var model = await ScriptedModel.StartAsync(FirstTry, Repair);

        var (result, output) = await RunAsync(model, "Wait, then greet", """{"name":"Ada"}""");

        Assert.Equal((2, "completed"), (result.Turns, result.Run?.Status));
        Assert.Equal("Hello, Ada!", result.Run!.NodeStates!.Value.GetProperty("greet").GetProperty("outputs").GetProperty("result").GetString());
        Assert.Contains("run.completed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_model_gets_the_catalogue_the_function_and_word_for_word_what_was_wrong()
    {
        await using var model = await ScriptedModel.StartAsync(FirstTry, Repair);

        await RunAsync(model, "Greet whoever asks");

        var first = model.Requests.First();
        Assert.Contains("human_approval", (string?)first["messages"]![0]!["content"], StringComparison.Ordinal);
        Assert.Equal("Greet whoever asks", (string?)first["messages"]![1]!["content"]);
        var function = first["tools"]![0]!["function"]!;
        Assert.Equal("edit_workflow", (string?)function["name"]);
        Assert.Equal("array", (string?)function["parameters"]!["properties"]!["ops"]!["type"]);
        foreach (var reason in new[] { "Applied 5 of 7", "There is no block type 'send_email'. Types: trigger_webhook, ", "does not declare output 'name'. Available: resumedAt" })
            Assert.Contains(reason, model.LastWord, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("!{not json", "not JSON")]
    [InlineData("!{\"ops\":1}", "Nothing was applied")]
    [InlineData("I would rather talk.", "cannot run yet")]
    public async Task Whatever_the_model_says_it_is_told_how_to_go_on(string says, string answer)
    {
        await using var model = await ScriptedModel.StartAsync(says, Good);

        var (result, _) = await RunAsync(model, "Greet");

        Assert.Equal("completed", result.Run?.Status);
        Assert.Contains(answer, model.LastWord, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_never_gets_it_right_is_given_up_and_nothing_is_run()
    {
        await using var model = await ScriptedModel.StartAsync([.. Enumerable.Repeat(Invented, 20)]);

        var (result, _) = await RunAsync(model, "Teleport");

        Assert.Equal((8, null), (result.Turns, result.Run));
        Assert.Empty((await _server.Runs.ListAsync(workflowId: result.WorkflowId)).Data);
    }

    /// <summary>The lines of the example's README, but for addresses and keys; what they print has the shape that is shown there.</summary>
    [Fact]
    public async Task It_runs_as_its_readme_says()
    {
        await using var model = await ScriptedModel.StartAsync(FirstTry, Repair);
        var example = Path.GetDirectoryName(typeof(ChatModel).Assembly.Location)!;
        var blocks = Regex.Matches(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "repair-loop.md")), "```[a-z]*\n(.*?)```", RegexOptions.Singleline);
        var lines = blocks[0].Groups[1].Value
            .Replace("http://127.0.0.1:8080", host.Installation.BaseUrl.AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal)
            .Replace("http://127.0.0.1:11434/v1", model.Url.AbsoluteUri, StringComparison.Ordinal)
            .Replace("hk_…", Installation.Key, StringComparison.Ordinal)
            .Replace("dotnet run --project examples/repair-loop --", $"dotnet '{Path.Combine(example, "OpenWop.Micro.Examples.RepairLoop.dll")}'", StringComparison.Ordinal);

        using var bash = Process.Start(new ProcessStartInfo("bash", ["-euc", lines]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (bash.StandardOutput.ReadToEndAsync(), bash.StandardError.ReadToEndAsync());
        await bash.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.True(bash.ExitCode == 0, await error);
        Assert.Null(Transcript.Difference(blocks[1].Groups[1].Value, await output));
    }

    public void Dispose()
    {
        _server.Dispose();
        _http.Dispose();
    }

    private async Task<(LoopResult Result, string Output)> RunAsync(ScriptedModel model, string sentence, string? input = null)
    {
        await using var output = new StringWriter();
        var loop = new Examples.RepairLoop.RepairLoop(_server, new ChatModel(_http, model.Url, "scripted", key: null), output);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return (await loop.RunAsync(sentence, input is null ? null : JsonElement.Parse(input), limit.Token), output.ToString());
    }
}
