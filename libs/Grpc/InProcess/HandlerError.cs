using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>What a handler throws, as the status of its call.</summary>
internal static class HandlerError
{
    public static Status ToStatus(Exception error, InProcessCallContext context, InProcessServiceSettings settings)
    {
        if (error is RpcException rpc)
        {
            InProcessLog.CallFailed(settings.Logger, context.Method, rpc.StatusCode, rpc.Status.Detail);
            // Trailers of the exception join those that the handler had set already.
            foreach (var entry in rpc.Trailers)
                context.ResponseTrailers.Add(entry);

            return rpc.Status;
        }

        if (error is OperationCanceledException && context.CancellationToken.IsCancellationRequested)
            InProcessLog.HandlerCancelled(settings.Logger, context.Method);
        else
            InProcessLog.HandlerFailed(settings.Logger, error, context.Method);

        const string WithoutDetails = "Exception was thrown by handler.";
        return new Status(StatusCode.Unknown, settings.DetailedErrors ? $"{WithoutDetails} {error.GetType().Name}: {error.Message}" : WithoutDetails, error);
    }
}
