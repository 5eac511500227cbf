using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.ServiceDefaults.Logging;

/// <summary>
/// Puts what a call logs below its run and its tenant. The run stands in the message; the tenant is that of the caller once it has proved
/// who it is, or the one that a service says it acts for. The outermost interceptor, so that refusals are below them too.
/// </summary>
internal sealed class CallScopeInterceptor(ILogger<CallScopeInterceptor> logger) : Interceptor
{
    private static readonly ConcurrentDictionary<MessageDescriptor, (FieldDescriptor? Run, FieldDescriptor? Tenant)> Fields = new();

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        using var scope = Begin(request, context);
        return await continuation(request, context).ConfigureAwait(false);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        using var scope = Begin(request, context);
        await continuation(request, responseStream, context).ConfigureAwait(false);
    }

    private IDisposable? Begin<TRequest>(TRequest request, ServerCallContext context)
    {
        var scope = new LogScope();
        if (request is IMessage message)
        {
            var (run, tenant) = Fields.GetOrAdd(message.Descriptor, static descriptor => (Text(descriptor, "run_id"), Text(descriptor, "tenant")));
            scope.RunId = run?.Accessor.GetValue(message) is string { Length: > 0 } runId ? runId : null;
            scope.Tenant = tenant?.Accessor.GetValue(message) is string { Length: > 0 } name ? name : null;
        }

        context.SetLogScope(scope);
        return logger.BeginScope(scope);
    }

    private static FieldDescriptor? Text(MessageDescriptor message, string name) =>
        message.FindFieldByName(name) is { FieldType: FieldType.String, IsRepeated: false } field ? field : null;
}
