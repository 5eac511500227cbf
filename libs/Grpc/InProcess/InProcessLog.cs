using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Grpc.InProcess;

internal static partial class InProcessLog
{
    [LoggerMessage(1, LogLevel.Debug, "In-process call {Method} ended with {StatusCode}: {Detail}")]
    public static partial void CallFailed(ILogger logger, string method, StatusCode statusCode, string? detail);

    [LoggerMessage(2, LogLevel.Debug, "Handler of {Method} stopped because its call was cancelled")]
    public static partial void HandlerCancelled(ILogger logger, string method);

    [LoggerMessage(3, LogLevel.Error, "Handler of {Method} failed")]
    public static partial void HandlerFailed(ILogger logger, Exception error, string method);

    [LoggerMessage(4, LogLevel.Error, "A cancellation callback of {Method} failed")]
    public static partial void CancellationCallbackFailed(ILogger logger, Exception error, string method);
}
