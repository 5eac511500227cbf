using System.Data.Common;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.ServiceDefaults.Errors;

/// <summary>
/// Refusals of a service (<see cref="ProtocolException"/>) become statuses with the envelope in their details, and a database that is away,
/// or in which others are always faster, becomes <c>service_unavailable</c>.
/// </summary>
public sealed partial class ProtocolErrorInterceptor(ILogger<ProtocolErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        try
        {
            return await continuation(request, context);
        }
        catch (ProtocolException exception)
        {
            throw exception.Error.ToRpcException();
        }
        catch (Exception exception) when (exception is DbException or CommitOutcomeUnknownException && DatabaseErrors.IsTemporary(exception))
        {
            throw Away(exception, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (ProtocolException exception)
        {
            throw exception.Error.ToRpcException();
        }
        catch (Exception exception) when (exception is DbException or CommitOutcomeUnknownException && DatabaseErrors.IsTemporary(exception))
        {
            throw Away(exception, context);
        }
    }

    private RpcException Away(Exception exception, ServerCallContext context)
    {
        Log.DatabaseAway(logger, exception, context.Method);
        var away = new ProtocolError(ErrorCodes.ServiceUnavailable, "The server cannot work right now; try again.", new() { ["retryAfter"] = 1 }).ToRpcException();

        // Nobody knows whether a commit that broke is there: the client of the installation decides about another attempt.
        away.Trailers.Add("grpc-retry-pushback-ms", "-1");
        return away;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2101, Level = LogLevel.Error, Message = "{Method}: the database cannot do it now.")]
        public static partial void DatabaseAway(ILogger logger, Exception exception, string method);
    }
}
