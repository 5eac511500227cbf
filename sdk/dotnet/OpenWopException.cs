using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;

namespace OpenWop.Micro.Client;

/// <summary>The server refused a call.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always carries an answer of the server.")]
public sealed class OpenWopException : Exception
{
    internal OpenWopException(HttpStatusCode status, string code, string message, JsonElement body, TimeSpan? retryAfter)
        : base(message)
    {
        Status = status;
        Code = code;
        Body = body;
        RetryAfter = retryAfter;
    }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The code of the error envelope, such as <c>not_found</c>; empty when the answer was none of the server's own.</summary>
    public string Code { get; }

    /// <summary>The whole error envelope; undefined when the answer was not JSON.</summary>
    public JsonElement Body { get; }

    /// <summary>When the server would like to be asked again.</summary>
    public TimeSpan? RetryAfter { get; }
}
