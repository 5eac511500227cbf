using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>Idempotency records in memory, without leases that run out.</summary>
internal sealed class FakeIdempotency : Contracts.Identity.V1.Idempotency.IdempotencyBase
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ByteString, (ByteString Digest, ByteString Execution, Answer? Answer, bool Open)> _records = [];

    public ConcurrentQueue<SettleRequest> Settled { get; } = new();

    public override Task<BeginReply> Begin(BeginRequest request, ServerCallContext context)
    {
        lock (_gate)
        {
            var known = _records.TryGetValue(request.RecordId, out var record);
            var reply = (known, record) switch
            {
                (true, { Open: true }) => new BeginReply { Outcome = BeginOutcome.InFlight, RetryAfterMs = 1000 },
                (true, { Answer: not null }) when record.Digest != request.RequestDigest => new BeginReply { Outcome = BeginOutcome.Mismatch },
                (true, { Answer: { } answer }) => new BeginReply { Outcome = BeginOutcome.Replay, Answer = answer },
                _ => new BeginReply
                {
                    Outcome = BeginOutcome.Execute,
                    Lease = ByteString.CopyFromUtf8("lease"),
                    Execution = known ? record.Execution : ByteString.CopyFrom(Guid.NewGuid().ToByteArray()),
                },
            };
            if (reply.Outcome == BeginOutcome.Execute)
                _records[request.RecordId] = (request.RequestDigest, reply.Execution, null, Open: true);
            return Task.FromResult(reply);
        }
    }

    public override Task<SettleReply> Settle(SettleRequest request, ServerCallContext context)
    {
        Settled.Enqueue(request);
        lock (_gate)
        {
            if (request.Discard)
                _records.Remove(request.RecordId);
            else
                _records[request.RecordId] = _records[request.RecordId] with { Answer = request.Answer, Open = false };
        }

        return Task.FromResult(new SettleReply { Settled = true });
    }
}
