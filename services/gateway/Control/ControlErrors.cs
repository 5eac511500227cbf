using System.Text.Json.Nodes;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Control;

/// <summary>
/// The errors of the authoring plane: <c>{error, message, issues?, …}</c> with the statuses of the protocol's table but a vocabulary
/// of its own. Details of the protocol's envelope become members of the error.
/// </summary>
internal static class ControlErrors
{
    /// <summary>A version that is none; the protocol knows no such error.</summary>
    public static readonly ErrorCode InvalidIfMatch = new("invalid_if_match", StatusCodes.Status400BadRequest, ErrorCodes.ValidationError.GrpcStatus);

    /// <summary>A workflow that cannot run, with <c>validation_errors</c>.</summary>
    public static readonly ErrorCode WorkflowInvalid = new("workflow_invalid", StatusCodes.Status409Conflict, ErrorCodes.RunTerminal.GrpcStatus);

    /// <summary>The version that a change was made for is not the newest one, which <c>current</c> tells.</summary>
    public static readonly ErrorCode VersionMismatch = ErrorCodes.PreconditionFailed with { Name = "version_mismatch" };

    private const long MaxRetryAfterMs = 60_000;

    /// <summary>Whether the authoring plane serves the path, or would if it existed.</summary>
    public static bool Owns(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/health");

    /// <summary>An answer of the protocol's operations as the authoring plane gives it.</summary>
    public static Answer Translate(Answer answer) => answer.Error is { } error ? answer with { Body = Encode(error) } : answer;

    public static byte[] Encode(ProtocolError error)
    {
        var body = new JsonObject { ["error"] = CodeOf(error), ["message"] = error.Message };
        if (error.Details is null)
            return ControlJson.Bytes(body);

        foreach (var (name, value) in error.Details)
        {
            switch (name)
            {
                case "field":
                    body["issues"] = new JsonArray(Issue(((string?)value ?? "").Split('.'), "invalid", error.Message));
                    break;

                case "retryAfterMs":
                    body[name] = Math.Clamp(value!.GetValue<long>(), 1, MaxRetryAfterMs);
                    break;

                case not ("error" or "message"):
                    body[name] = value?.DeepClone();
                    break;
            }
        }

        return ControlJson.Bytes(body);
    }

    /// <summary>One thing that is wrong with a body.</summary>
    public static JsonObject Issue(IEnumerable<string> path, string code, string message) =>
        new() { ["code"] = code, ["path"] = new JsonArray([.. path.Select(segment => (JsonNode)segment)]), ["message"] = message };

    /// <summary>What an error of the protocol's table is called here.</summary>
    public static string NameOf(ErrorCode code) => code.Name switch
    {
        "validation_error" => "invalid_body",
        "unauthenticated" or "key_expired" or "key_revoked" => "unauthorized",
        var name => name,
    };

    private static string CodeOf(ProtocolError error) =>
        NameOf(error.Code.Name == ErrorCodes.PreconditionFailed.Name && error.Details?.ContainsKey("current") == true ? VersionMismatch : error.Code);
}
