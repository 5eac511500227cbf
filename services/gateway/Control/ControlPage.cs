using System.Globalization;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Control;

/// <summary>The part of a list that a call asks for: <c>?limit=1..200&amp;after=cursor</c>.</summary>
internal readonly record struct ControlPage(int Limit, string After)
{
    public const int MaxLimit = 200;

    private const int DefaultLimit = 50;
    private const int MaxCursorLength = 512;

    /// <exception cref="ProtocolException">400: a limit or cursor that is none.</exception>
    public static ControlPage From(OperationCall call)
    {
        var limit = DefaultLimit;
        if (call.Query("limit") is { Length: > 0 } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
        {
            throw new ProtocolException(ProtocolError.Validation($"'limit' must be a whole number from 1 to {MaxLimit}.", "limit"));
        }

        var after = call.Query("after") ?? "";
        return after.Length <= MaxCursorLength && !after.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? new ControlPage(limit, after)
            : throw new ProtocolException(ProtocolError.Validation("'after' must be the cursor of a page.", "after"));
    }
}
