using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.OpenApi;

/// <summary>A part of the public surface that has a document of its own, because it has its own envelope and vocabulary of errors.</summary>
/// <param name="Description">What the part is.</param>
/// <param name="Components">Embedded file of schemas and parameters.</param>
/// <param name="Other">Route of the other document.</param>
internal sealed record ApiPlane(string Description, string Components, Operation Other)
{
    public static readonly ApiPlane Protocol = new(
        "The OpenWOP protocol, version 1. The same operations are served over gRPC as openwop.v1.Engine, and workflows are tools of an MCP server at /v1/mcp.",
        "openapi.protocol.components.json",
        Operations.GetAuthoringOpenApi)
    {
        ErrorSchema = "ErrorEnvelope",
        BodyErrors = [ErrorCodes.ValidationError, ErrorCodes.RequestTimeout, ErrorCodes.PayloadTooLarge, ErrorCodes.UnsupportedMediaType],
        NameOf = static code => code.Name,
    };

    public static readonly ApiPlane Authoring = new(
        "Authoring: workflows as blocks and connections, schedules, webhooks, organizations and keys. An extension of this server.",
        "openapi.authoring.components.json",
        Operations.GetOpenApi)
    {
        ErrorSchema = "Error",
        BodyErrors = [ErrorCodes.ValidationError, ErrorCodes.RequestTimeout, ErrorCodes.PayloadTooLarge],
        NameOf = ControlErrors.NameOf,
    };

    /// <summary>Schema of every error.</summary>
    public required string ErrorSchema { get; init; }

    /// <summary>Errors of any operation with a body.</summary>
    public required IReadOnlyList<ErrorCode> BodyErrors { get; init; }

    /// <summary>What an error is called here.</summary>
    public required Func<ErrorCode, string> NameOf { get; init; }

    public static ApiPlane Of(Operation operation) => ControlErrors.Owns(operation.Route) ? Authoring : Protocol;
}
