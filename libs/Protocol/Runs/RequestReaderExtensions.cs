using System.Diagnostics.CodeAnalysis;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Protocol.Runs;

internal static class RequestReaderExtensions
{
    /// <summary>The end of every parser: either the body or the error, never both.</summary>
    /// <param name="reader">Null when the body could not even be opened.</param>
    /// <param name="body">What was read.</param>
    /// <param name="error">Why it could not be opened.</param>
    public static bool Decide<T>(this RequestReader? reader, [NotNullWhen(true)] ref T? body, [NotNullWhen(false)] ref ProtocolError? error)
        where T : class
    {
        error ??= reader!.Error;
        if (error is not null)
            body = null;

        return error is null;
    }
}
