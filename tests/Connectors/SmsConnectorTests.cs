using System.Text.Json;
using OpenWop.Micro.Connectors.Testing;
using OpenWop.Micro.Examples.Connector;

namespace OpenWop.Micro.Connectors.Tests;

/// <summary>The example, tested as the author of a connector would.</summary>
public sealed class SmsConnectorTests
{
    private const string Hello = """{"to":"+41795550100","text":"Hello {{trigger.name}}"}""";

    [Fact]
    public async Task A_message_is_sent_with_what_the_parameters_refer_to()
    {
        await using var gateway = await SmsGateway.StartAsync();
        var harness = new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients())) { Trigger = """{"name":"Ada"}""" };

        Assert.Equal("""{"messageId":"sms-1","segments":1}""", (await harness.RunAsync(Hello)).GetRawText());
        var sent = Assert.Single(gateway.Messages).Value.Message;
        Assert.Equal(("+41795550100", "Hello Ada", "normal"), (Text(sent, "to"), Text(sent, "text"), Text(sent, "priority")));
        Assert.Equal(["info: Sent 1 message(s)."], harness.Log);
    }

    [Fact]
    public async Task A_block_that_runs_again_does_not_send_again()
    {
        await using var gateway = await SmsGateway.StartAsync();
        var harness = new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients()));
        var first = await harness.RunAsync(Hello);

        Assert.Equal(first.GetRawText(), (await harness.RunAsync(Hello)).GetRawText());
        Assert.Single(gateway.Messages);
    }

    [Fact]
    public async Task What_passes_is_tried_again_and_what_the_gateway_refuses_is_final()
    {
        await using var gateway = await SmsGateway.StartAsync();
        var harness = new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients()));
        gateway.Failures.Enqueue(503);
        var busy = await Assert.ThrowsAsync<ConnectorException>(() => harness.RunAsync(Hello));
        Assert.Equal(("sms_gateway_busy", true), (busy.Code, busy.IsTransient));
        await harness.RunAsync(Hello);

        var other = new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients()));
        gateway.Failures.Enqueue(422);
        var refused = await Assert.ThrowsAsync<ConnectorException>(() => other.RunAsync(Hello));
        Assert.Equal(("sms_refused", false), (refused.Code, refused.IsTransient));
        Assert.Equal("sms_refused", (await Assert.ThrowsAsync<ConnectorException>(() => other.RunAsync(Hello))).Code);
    }

    [Fact]
    public async Task A_gateway_that_is_not_there_may_be_there_later()
    {
        IHttpClientFactory clients;
        await using (var gateway = await SmsGateway.StartAsync())
            clients = gateway.Clients();

        var failure = await Assert.ThrowsAsync<ConnectorException>(() => new ConnectorHarness<SmsConnector>(new SmsConnector(clients)).RunAsync(Hello));
        Assert.Equal(("sms_gateway_unreachable", true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task The_key_of_the_gateway_comes_from_the_vault()
    {
        await using var gateway = await SmsGateway.StartAsync();
        var harness = new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients())) { Secrets = new Dictionary<string, string> { ["sms-key"] = "s3cret" } };
        await harness.RunAsync("""{"to":"+1","text":"x","account":"sms-key"}""");

        Assert.Equal("Bearer s3cret", Assert.Single(gateway.Messages).Value.Authorization);
    }

    [Theory]
    [InlineData("""{"text":"x"}""", "'to'")]
    [InlineData("""{"to":"0795550100","text":"x"}""", "'to'")]
    [InlineData("""{"to":"+","text":"x"}""", "'to'")]
    [InlineData("""{"to":"+1","text":""}""", "'text'")]
    [InlineData("""{"to":"+1","text":{"a":1}}""", "'text'")]
    [InlineData("""{"to":"+1","text":"x","priority":"urgent"}""", "'priority'")]
    public async Task Parameters_that_make_no_sense_send_nothing(string parameters, string named)
    {
        await using var gateway = await SmsGateway.StartAsync();
        var failure = await Assert.ThrowsAsync<ConnectorException>(() => new ConnectorHarness<SmsConnector>(new SmsConnector(gateway.Clients())).RunAsync(parameters));

        Assert.Equal((ConnectorException.InvalidParameter, false), (failure.Code, failure.IsTransient));
        Assert.StartsWith(named, failure.Message, StringComparison.Ordinal);
        Assert.Empty(gateway.Messages);
    }

    private static string? Text(JsonElement message, string name) => message.GetProperty(name).GetString();
}
