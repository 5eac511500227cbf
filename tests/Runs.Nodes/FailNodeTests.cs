namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class FailNodeTests
{
    [Theory]
    [InlineData("{}", "conformance_test_failure", "Intentional conformance failure", false)]
    [InlineData("{\"code\":\"out_of_stock\",\"message\":\"None left.\",\"retryable\":true}", "out_of_stock", "None left.", true)]
    [InlineData("{\"code\":\"out_of_stock\",\"message\":\"\"}", "out_of_stock", "out_of_stock", false)]
    [InlineData("{\"failAttempts\":1}", "conformance_test_failure", "Intentional conformance failure", true)]
    [InlineData("{\"failAttempts\":1,\"retryable\":false}", "conformance_test_failure", "Intentional conformance failure", false)]
    [InlineData("{\"code\":\"no spaces\"}", "config_invalid", "'code' of node 'node-1' must be 1 to 128 letters, digits, '_', '.' or '-'.", false)]
    [InlineData("{\"code\":7}", "config_invalid", "'code' of node 'node-1' must be a string.", false)]
    public void Fails_as_configured(string config, string code, string message, bool retryable)
    {
        var error = new NodeHarness { TypeId = "core.fail", Config = config }.Fails();
        Assert.Equal((code, message, retryable), (error.Code, error.Message, error.Retryable));
    }

    [Fact]
    public void Completes_after_the_attempts_that_were_to_fail()
    {
        NodeHarness Attempt(int attempt) => new() { TypeId = "core.fail", Config = "{\"failAttempts\":2}", Attempt = attempt };

        Attempt(0).Fails();
        Attempt(1).Fails();
        Assert.Equal("{\"failedAttempts\":2}", Attempt(2).Completes());
    }
}
