using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>One method of a mapped service.</summary>
internal abstract class InProcessMethod(IMethod method, InProcessServiceSettings settings)
{
    public IMethod Method { get; } = method;

    public InProcessServiceSettings Settings { get; } = settings;
}

/// <summary>The handler of a method, already wrapped in the server's interceptors. Exactly one of the four is set.</summary>
internal sealed class InProcessMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, InProcessServiceSettings settings)
    : InProcessMethod(method, settings)
    where TRequest : class
    where TResponse : class
{
    public UnaryServerMethod<TRequest, TResponse>? Unary { get; init; }

    public ClientStreamingServerMethod<TRequest, TResponse>? ClientStreaming { get; init; }

    public ServerStreamingServerMethod<TRequest, TResponse>? ServerStreaming { get; init; }

    public DuplexStreamingServerMethod<TRequest, TResponse>? DuplexStreaming { get; init; }
}
