using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>The operations of keys and sessions; rows of the authoring plane's table.</summary>
internal static class KeyOperations
{
    public static readonly Operation CreateKey = new("createKey", HttpMethods.Post, "/api/keys")
    {
        Scopes = [ScopeNames.KeysManage],
        Summary = "Makes a key of the organization. The answer shows it, this once.",
        Body = "CreateKeyRequest",
        Successes = [new(201, "The key.", "NewKey")],
        Errors = [ErrorCodes.PreconditionFailed],
    };

    public static readonly Operation ListKeys = new("listKeys", HttpMethods.Get, "/api/keys")
    {
        Scopes = [ScopeNames.KeysManage],
        Summary = "The keys of the organization in the mode of the caller's.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "KeyPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation RevokeKey = new("revokeKey", HttpMethods.Delete, "/api/keys/{id}")
    {
        Scopes = [ScopeNames.KeysManage],
        Summary = "Ends a key at once.",
        Successes = [new(204, "The key is worth nothing now.")],
        Errors = [ErrorCodes.NotFound],
    };

    /// <summary>Every caller may rotate its own key; identity decides about others.</summary>
    public static readonly Operation RotateKey = new("rotateKey", HttpMethods.Post, "/api/keys/{id}/rotate")
    {
        IsForEveryCaller = true,
        Summary = "Replaces a key, the caller's own as current; others take keys:manage. Both work until the grace time is over. The answer shows the new one, this once.",
        Body = "RotateKeyRequest",
        BodyRequired = false,
        Successes = [new(201, "The new key.", "RotatedKey")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.PreconditionFailed],
    };

    public static readonly Operation OpenSession = new("openSession", HttpMethods.Post, "/api/sessions")
    {
        IsForEveryCaller = true,
        Summary = "Opens a session for the key in the header, and sets its cookie.",
        Successes = [new(201, "The session, and the token for the header X-CSRF-Token.", "Session")],
    };

    public static readonly Operation GetSession = new("getSession", HttpMethods.Get, "/api/sessions/current")
    {
        IsForEveryCaller = true,
        Summary = "The session of the cookie.",
        Successes = [new(200, "The session.", "Session")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation CloseSession = new("closeSession", HttpMethods.Delete, "/api/sessions/current")
    {
        IsForEveryCaller = true,
        Summary = "Closes the session of the cookie.",
        Successes = [new(204, "The session is over.")],
        Errors = [ErrorCodes.NotFound],
    };
}
