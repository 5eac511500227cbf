using System.Diagnostics;
using System.Text.Json.Nodes;
using Grpc.Core;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway.Errors;

/// <summary>
/// Turns whatever ended a call into the error that the client gets. What nobody planned is logged here, once, under the correlation
/// id that the client is told.
/// </summary>
internal sealed partial class ErrorTranslator(ILogger<ErrorTranslator> logger)
{
    /// <param name="operation">What was being done, for the log.</param>
    public ProtocolError Translate(Exception exception, string operation)
    {
        switch (exception)
        {
            case ProtocolException planned:
                return planned.Error;

            case ServiceAbsentException absent:
                return Correlate(new ProtocolError(ErrorCodes.CapabilityNotProvided, $"This installation has no service '{absent.Service}'."), absent, operation);

            case BadHttpRequestException request:
                return FromRequest(request);

            case RpcException rpc:
                var error = rpc.ToProtocolError();
                return error.Code.HttpStatus < 500 ? error : Correlate(error, rpc, operation);

            default:
                return Correlate(new ProtocolError(ErrorCodes.InternalError, "Something unexpected went wrong."), exception, operation);
        }
    }

    private static ProtocolError FromRequest(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new(ErrorCodes.PayloadTooLarge, "The request body is too large."),
        StatusCodes.Status408RequestTimeout => new(ErrorCodes.RequestTimeout, "The request body arrived too slowly."),
        _ => ProtocolError.Validation("The request is not well-formed HTTP."),
    };

    private ProtocolError Correlate(ProtocolError error, Exception exception, string operation)
    {
        var details = error.Details?.DeepClone().AsObject() ?? [];
        var id = (string?)details["correlationId"] ?? Activity.Current?.TraceId.ToHexString() ?? Guid.NewGuid().ToString("n");
        details["correlationId"] = id;
        if (error.Code == ErrorCodes.ServiceUnavailable)
        {
            Log.Unavailable(logger, operation, id, exception.Message);
            details.TryAdd("retryAfter", JsonValue.Create(1));
        }
        else
        {
            Log.Failed(logger, exception, operation, id);
        }

        return error with { Details = details };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Operation} failed unexpectedly (correlation id {CorrelationId}).")]
        public static partial void Failed(ILogger logger, Exception exception, string operation, string correlationId);

        [LoggerMessage(2, LogLevel.Warning, "{Operation}: a service is unavailable (correlation id {CorrelationId}): {Reason}")]
        public static partial void Unavailable(ILogger logger, string operation, string correlationId, string reason);
    }
}
