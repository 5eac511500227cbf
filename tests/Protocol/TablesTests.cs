using System.Reflection;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Protocol.Tests;

/// <summary>Tables agree with the published documents and with themselves.</summary>
public sealed class TablesTests
{
    [Fact]
    public void Statuses_are_those_of_the_snapshot_schema()
    {
        var snapshot = SchemaRegistry.Published("run-snapshot");

        Assert.All(RunStatuses.All, status => Assert.True(snapshot.IsValid(Snapshot(status)), status));
        Assert.False(snapshot.IsValid(Snapshot("dreaming")));
        Assert.Equal(["cancelled", "completed", "failed"], RunStatuses.All.Where(RunStatuses.IsTerminal).Order());
        Assert.Equal(["waiting-approval", "waiting-external", "waiting-input"], RunStatuses.All.Where(RunStatuses.IsWaiting).Order());
        Assert.All(RunStatuses.OnCreation, status => Assert.False(RunStatuses.IsTerminal(status)));
    }

    [Fact]
    public void Every_scope_constant_is_in_the_set()
    {
        var constants = typeof(Scopes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).ToArray();

        Assert.Equal(constants.Order(), Scopes.All.Order());
        Assert.All(constants, scope => Assert.Matches("^[a-z]+:[a-z-]+$", scope));
    }

    [Theory]
    [InlineData("core.dispatch", "dispatch.supported")]
    [InlineData("core.orchestrator.supervisor", "orchestrator.supported")]
    [InlineData("core.conversationGate", "conversationPrimitive")]
    [InlineData("core.delay", "core.delay")]
    [InlineData("vendor.acme.thing", "vendor.acme.thing")]
    public void A_missing_node_type_names_the_capability_that_gates_it(string typeId, string capability) =>
        Assert.Equal(capability, ReservedNodeTypes.RequiredCapability(typeId));

    [Fact]
    public void Sixteen_node_types_are_reserved_and_three_of_them_gated()
    {
        Assert.Equal(16, ReservedNodeTypes.All.Count);
        Assert.Equal(13, ReservedNodeTypes.Baseline.Count());
        Assert.False(ReservedNodeTypes.IsReserved("core.noop"));
    }

    [Fact]
    public void Every_error_code_has_the_form_and_the_statuses_of_one()
    {
        Assert.All(ErrorCodes.All, code =>
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", code.Name);
            Assert.InRange(code.HttpStatus, 400, 599);
            Assert.InRange(code.GrpcStatus, 1, 16);
            Assert.Same(code, ErrorCodes.Find(code.Name));
        });
        Assert.Null(ErrorCodes.Find("no_such_code"));
    }

    [Fact]
    public void An_error_survives_the_way_through_its_bytes()
    {
        var error = new ProtocolError(ErrorCodes.ValidationError, "No \"good\" — really.", new() { ["a"] = 1, ["b"] = "ä" });

        Assert.Empty(SchemaRegistry.Published("error-envelope").Validate(JsonElement.Parse(error.ToUtf8Bytes())));
        Assert.True(ProtocolError.TryParse(error.ToUtf8Bytes(), ErrorCodes.InternalError, out var back));
        Assert.Equal(error.ToUtf8Bytes(), back.ToUtf8Bytes());
        Assert.Same(error.Code, back.Code);
        Assert.True(ProtocolError.TryParse("""{"error":"from_the_future","message":"m"}"""u8.ToArray(), ErrorCodes.InternalError, out var unknown));
        Assert.Equal(("from_the_future", 500, null), (unknown.Code.Name, unknown.Code.HttpStatus, unknown.Details));
        Assert.False(ProtocolError.TryParse("[]"u8.ToArray(), ErrorCodes.InternalError, out _));
        Assert.False(ProtocolError.TryParse("{\"error\":5}"u8.ToArray(), ErrorCodes.InternalError, out _));
    }

    private static JsonElement Snapshot(string status) => Fixtures.Json($$"""{"runId":"r","workflowId":"w","status":"{{status}}"}""");
}
