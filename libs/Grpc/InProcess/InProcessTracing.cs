using System.Diagnostics;
using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>One span per in-process call, with the attributes that a network call has. Costs nothing while nobody listens.</summary>
public static class InProcessTracing
{
    /// <summary>The name of the activity source, for the telemetry set-up of the host.</summary>
    public const string SourceName = "OpenWop.Micro.Grpc.InProcess";

    private static readonly ActivitySource Source = new(SourceName);

    internal static Activity? Start(IMethod method)
    {
        if (!Source.HasListeners() || Source.StartActivity(method.FullName[1..], ActivityKind.Server) is not { } activity)
            return null;

        activity.SetTag("rpc.system", "grpc");
        activity.SetTag("rpc.service", method.ServiceName);
        activity.SetTag("rpc.method", method.Name);
        return activity;
    }

    internal static void Stop(Activity? activity, Status status)
    {
        if (activity is null)
            return;

        activity.SetTag("rpc.grpc.status_code", (int)status.StatusCode);
        if (status.StatusCode is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented
            or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss)
            activity.SetStatus(ActivityStatusCode.Error);
    }
}
