using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// The gRPC services that can be called inside this process without a socket and without serialization.
/// One instance per host; <see cref="InProcessCallInvoker"/> is its client side.
/// </summary>
/// <remarks>
/// Services run with the same <see cref="GrpcServiceOptions"/> as on the network: interceptors in the same order, message size
/// limits, detailed errors. A service instance is created per call in a scope of its own.
/// </remarks>
public sealed class InProcessServer
{
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _mapping = new();
    private FrozenDictionary<string, InProcessMethod> _methods = FrozenDictionary<string, InProcessMethod>.Empty;
    private FrozenSet<string> _serviceNames = FrozenSet<string>.Empty;

    public InProcessServer(IServiceProvider services, ILogger<InProcessServer> logger, TimeProvider time)
    {
        _services = services;
        _logger = logger;
        _time = time;
    }

    internal TimeProvider Time => _time;

    /// <summary>Whether a service with this full name (<c>package.Service</c>) lives in this process.</summary>
    public bool HasService(string serviceName) => Volatile.Read(ref _serviceNames).Contains(serviceName);

    /// <summary>
    /// Makes a service callable in this process. Mapping the same service again replaces nothing and does no harm.
    /// </summary>
    /// <typeparam name="TService">A class derived from a generated service base.</typeparam>
    /// <exception cref="InvalidOperationException">The class is not derived from a generated service base.</exception>
    public void MapService<TService>()
        where TService : class
    {
        var settings = InProcessServiceSettings.Create<TService>(_services, _logger);
        var methods = ServiceMethodBinder<TService>.Bind(settings);

        lock (_mapping)
        {
            var all = new Dictionary<string, InProcessMethod>(_methods, StringComparer.Ordinal);
            foreach (var method in methods)
                all.TryAdd(method.Method.FullName, method);

            Volatile.Write(ref _methods, all.ToFrozenDictionary(StringComparer.Ordinal));
            Volatile.Write(ref _serviceNames, all.Values.Select(method => method.Method.ServiceName).ToFrozenSet(StringComparer.Ordinal));
        }
    }

    /// <summary>The handler of a method, or the status with which a call to it has to fail.</summary>
    internal InProcessMethod<TRequest, TResponse>? Find<TRequest, TResponse>(Method<TRequest, TResponse> method, out Status failure)
        where TRequest : class
        where TResponse : class
    {
        failure = default;
        if (!Volatile.Read(ref _methods).TryGetValue(method.FullName, out var found))
        {
            var what = HasService(method.ServiceName) ? "Method" : "Service";
            failure = new Status(StatusCode.Unimplemented, $"{what} is unimplemented.");
            return null;
        }

        if (found is InProcessMethod<TRequest, TResponse> handler && handler.Method.Type == method.Type)
            return handler;

        failure = new Status(StatusCode.Internal, $"Client and server disagree about the kind or the message types of '{method.FullName}'.");
        return null;
    }
}
