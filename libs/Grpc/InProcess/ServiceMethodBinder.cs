using System.Reflection;
using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// Collects the methods of a service. The generated <c>BindService</c> is called without an instance and names every method;
/// each becomes an open delegate over the class, so that a call costs a delegate invocation and no reflection.
/// </summary>
internal sealed class ServiceMethodBinder<TService> : ServiceBinderBase
    where TService : class
{
    private readonly Type _baseType;
    private readonly InProcessServiceSettings _settings;
    private readonly List<InProcessMethod> _methods = [];

    private ServiceMethodBinder(Type baseType, InProcessServiceSettings settings)
    {
        _baseType = baseType;
        _settings = settings;
    }

    public static IReadOnlyList<InProcessMethod> Bind(InProcessServiceSettings settings)
    {
        var service = GeneratedService.Of(typeof(TService));
        var binder = new ServiceMethodBinder<TService>(service.BaseType, settings);
        service.Bind.Invoke(null, [binder, null]);
        return binder._methods;
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(
            method, typeof(TRequest), typeof(ServerCallContext));

        _methods.Add(new InProcessMethod<TRequest, TResponse>(method, _settings)
        {
            Unary = InterceptorPipeline.Unary<TRequest, TResponse>(_settings.Interceptors, (request, context) =>
                ServiceActivation<TService>.Run(context, (invoke, request), static (service, call, context) => call.invoke(service, call.request, context))),
        });
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));

        _methods.Add(new InProcessMethod<TRequest, TResponse>(method, _settings)
        {
            ClientStreaming = InterceptorPipeline.ClientStreaming<TRequest, TResponse>(_settings.Interceptors, (requests, context) =>
                ServiceActivation<TService>.Run(context, (invoke, requests), static (service, call, context) => call.invoke(service, call.requests, context))),
        });
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));

        _methods.Add(new InProcessMethod<TRequest, TResponse>(method, _settings)
        {
            ServerStreaming = InterceptorPipeline.ServerStreaming<TRequest, TResponse>(_settings.Interceptors, (request, responses, context) =>
                ServiceActivation<TService>.RunStreaming(
                    context, (invoke, request, responses), static (service, call, context) => call.invoke(service, call.request, call.responses, context))),
        });
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));

        _methods.Add(new InProcessMethod<TRequest, TResponse>(method, _settings)
        {
            DuplexStreaming = InterceptorPipeline.DuplexStreaming<TRequest, TResponse>(_settings.Interceptors, (requests, responses, context) =>
                ServiceActivation<TService>.RunStreaming(
                    context, (invoke, requests, responses), static (service, call, context) => call.invoke(service, call.requests, call.responses, context))),
        });
    }

    /// <summary>The open delegate for the override of a method that the generated base declares.</summary>
    private TDelegate Open<TDelegate>(IMethod method, params Type[] parameters)
        where TDelegate : Delegate
    {
        // A method of the class that merely hides the one of the base is not the override: look further up.
        for (var type = typeof(TService); type is not null; type = type.BaseType)
        {
            var candidate = type.GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, parameters);
            if (candidate is { IsVirtual: true } && candidate.GetBaseDefinition().DeclaringType == _baseType)
                return candidate.CreateDelegate<TDelegate>();
        }

        throw new InvalidOperationException($"'{typeof(TService)}' has no method '{method.Name}'.");
    }
}
