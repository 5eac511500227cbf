namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>The client's settings of an in-process channel; those that a network channel has as well.</summary>
public sealed record InProcessChannelOptions
{
    /// <summary>Bytes a response may have; null is unlimited. A larger one ends the call with <c>ResourceExhausted</c>.</summary>
    public int? MaxReceiveMessageSize { get; init; } = GrpcLimits.MaxMessageSize;

    /// <summary>Bytes a request may have; null is unlimited. A larger one fails with <c>ResourceExhausted</c>.</summary>
    public int? MaxSendMessageSize { get; init; }

    /// <summary>Whether calls inherit deadline and cancellation of the <see cref="AmbientCall"/>.</summary>
    public bool PropagateCallContext { get; init; } = true;
}
