using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors.Tests;

public sealed class RegistrationTests
{
    [Fact]
    public void A_connector_is_registered_by_one_line_and_made_when_it_is_needed()
    {
        var provider = new ServiceCollection().AddConnector<Unmakable>().AddConnectorSet().BuildServiceProvider();
        Assert.Equal("unmakable", provider.GetRequiredService<ConnectorSet>().All[^1].Type);
    }

    [Fact]
    public void Built_in_types_cannot_be_replaced_and_none_can_be_registered_twice()
    {
        Assert.Throws<ArgumentException>(() => new ConnectorSet([Good with { Type = "http" }]));
        Assert.Throws<ArgumentException>(() => new ConnectorSet([Good, Good]));
        Assert.Equal(ConnectorSet.BuiltIn.All.Length + 1, new ConnectorSet([Good]).All.Length);
    }

    [Fact]
    public void What_is_not_well_described_is_refused_at_the_start()
    {
        Connector[] odd =
        [
            Good with { Type = "" }, Good with { Type = "With Blanks" }, Good with { Type = "core.mine" }, Good with { Kind = "trigger" }, Good with { Category = "magic" },
            Good with { Description = "" }, Good with { Example = "[]" }, Good with { Example = "{" }, Good with { Example = """{"x":1}""" },
            Good with { Parameters = [new("a", "slider", "x")] }, Good with { Parameters = [new("a", "json", "x"), new("a", "json", "x")] },
            Good with { Parameters = [new("a", "json", "x") { IsRequired = true }] }, Good with { Outputs = [new("a", "any", "x"), new("a", "any", "x")] },
        ];
        Assert.All(odd, connector => Assert.Throws<ArgumentException>(() => new ConnectorSet([connector])));
        Assert.Null(ConnectorSet.ProblemOf(Good));
    }

    [Fact]
    public void Built_in_types_are_as_well_described_as_others_have_to_be() =>
        Assert.All(ConnectorSet.BuiltIn.All.Where(connector => connector.Kind == "compute"), connector => Assert.Null(ConnectorSet.ProblemOf(connector)));

    private static readonly Connector Good = new("mine", "Mine", "Does something.", "tools", "compute");

    private sealed class Unmakable(string nobodyHasThis) : IConnector
    {
        public static Connector Description { get; } = Good with { Type = "unmakable" };

        public Task<JsonElement> RunAsync(ConnectorCall call, CancellationToken cancellationToken) => throw new InvalidOperationException(nobodyHasThis);
    }
}
