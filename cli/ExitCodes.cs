using System.Net;

namespace OpenWop.Micro.Cli;

/// <summary>What the tool ends with; scripts rely on it (docs/cli.md).</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>Anything without a code of its own.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>No key, a key that is not accepted, or one that lacks a scope.</summary>
    public const int NotAllowed = 3;

    public const int NotFound = 4;

    /// <summary>Somebody else changed it, or it is in the wrong state.</summary>
    public const int Conflict = 5;

    /// <summary>The server cannot be reached, or has no time.</summary>
    public const int Unavailable = 6;

    /// <summary>The run that was watched ended as failed or cancelled.</summary>
    public const int RunFailed = 7;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    public static int Of(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => NotAllowed,
        HttpStatusCode.NotFound or HttpStatusCode.Gone => NotFound,
        HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed or HttpStatusCode.PreconditionRequired => Conflict,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => Unavailable,
        _ => Failed,
    };
}
