namespace OpenWop.Micro.RepairLoop.Tests;

public sealed class RepairLoopTests
{
    private const string Good = """[{"operation_type":"add","block_id":"t","type":"transform"}]""";
    private const string Invented = """[{"operation_type":"add","block_id":"t","type":"teleport"}]""";

    [Fact]
    public async Task A_sentence_becomes_a_workflow_that_has_run()
    {
        await using var standIn = await StandIn.StartAsync(Good);

        var (result, output) = await standIn.RunAsync("Greet whoever asks");

        Assert.Equal((1, "completed"), (result.Turns, result.Run?.Status));
        Assert.Contains("run.completed", output, StringComparison.Ordinal);
        var told = standIn.Conversations.Single();
        Assert.Contains("trigger_webhook", (string?)told[0]!["content"], StringComparison.Ordinal);
        Assert.Equal("Greet whoever asks", (string?)told[1]!["content"]);
    }

    [Fact]
    public async Task What_was_skipped_goes_back_to_the_model_which_repairs_it()
    {
        await using var standIn = await StandIn.StartAsync(Invented, Good);

        var (result, _) = await standIn.RunAsync("Teleport");

        Assert.Equal((2, "completed"), (result.Turns, result.Run?.Status));
        var told = standIn.Conversations.Last();
        Assert.Equal("tool", (string?)told[^1]!["role"]);
        Assert.Contains("there are trigger_webhook, transform", (string?)told[^1]!["content"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("!{not json", "not JSON")]
    [InlineData("!{\"ops\":1}", "Nothing was applied")]
    [InlineData("I would rather talk.", "cannot run yet")]
    public async Task Whatever_the_model_says_it_is_told_how_to_go_on(string says, string answer)
    {
        await using var standIn = await StandIn.StartAsync(says, Good);

        var (result, _) = await standIn.RunAsync("Greet");

        Assert.Equal("completed", result.Run?.Status);
        Assert.Contains(answer, (string?)standIn.Conversations.Last()[^1]!["content"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_never_gets_it_right_is_given_up_and_nothing_is_run()
    {
        await using var standIn = await StandIn.StartAsync([.. Enumerable.Repeat(Invented, 20)]);

        var (result, _) = await standIn.RunAsync("Teleport");

        Assert.Equal((8, null), (result.Turns, result.Run));
        Assert.False(standIn.HasRun);
    }
}
