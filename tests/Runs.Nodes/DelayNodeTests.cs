namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class DelayNodeTests
{
    [Theory]
    [InlineData("{\"delayMs\":1000}", "{}", "{}", "{}", 1000)]
    [InlineData("{\"ms\":300}", "{\"delayMs\":1000}", "{}", "{}", 300)]
    [InlineData("{}", "{\"ms\":300}", "{}", "{}", 300)]
    [InlineData("{}", "{\"durationMs\":30000}", "{}", "{}", 30000)]
    [InlineData("{}", "{\"delaySeconds\":1.5}", "{}", "{}", 1500)]
    [InlineData("{}", "{\"delaySeconds\":1,\"delayMs\":7}", "{}", "{}", 7)]
    [InlineData("{}", "{\"ms\":5}", "{\"delayMs\":9}", "{\"delayMs\":11}", 5)]
    [InlineData("{}", "{}", "{\"delayMs\":9}", "{\"delayMs\":11}", 9)]
    [InlineData("{}", "{}", "{}", "{\"delaySeconds\":2}", 2000)]
    [InlineData("{\"delayMs\":null}", "{\"ms\":5}", "{}", "{}", 5)]
    [InlineData("{\"delayMs\":31536000000}", "{}", "{}", "{}", 31536000000)]
    public void Waits_for_the_first_duration_found(string inputs, string config, string variables, string runInputs, long milliseconds)
    {
        var outcome = new NodeHarness { TypeId = "core.delay", Inputs = inputs, Config = config, Variables = variables, RunInputs = runInputs }.Run();

        var delayed = Assert.IsType<NodeOutcome.Delayed>(outcome);
        Assert.Equal(NodeHarness.Now.AddMilliseconds(milliseconds), delayed.Until);
        Assert.Equal($"{{\"delayedMs\":{milliseconds}}}", NodeHarness.Outputs(delayed.Outputs));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"ms\":0}")]
    public void Completes_at_once_without_a_duration(string config) =>
        Assert.Equal("{\"delayedMs\":0}", new NodeHarness { TypeId = "core.delay", Config = config }.Completes());

    [Theory]
    [InlineData("{\"ms\":-1}")]
    [InlineData("{\"ms\":\"5\"}")]
    [InlineData("{\"ms\":1e300}")]
    [InlineData("{\"delayMs\":31536000001}")]
    [InlineData("{\"delaySeconds\":31536001}")]
    public void Refuses_what_is_no_duration_up_to_a_year(string config)
    {
        var error = new NodeHarness { TypeId = "core.delay", Config = config }.Fails();
        Assert.Equal("config_invalid", error.Code);
        Assert.False(error.Retryable);
    }
}
