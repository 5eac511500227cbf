using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Events;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// Verifies API keys for an edge of the installation. Identity's answers are kept for the few seconds it allows, and dropped as
/// soon as the bus tells of a change, so that a revoked key ends at once where the bus reaches and within seconds elsewhere.
/// </summary>
public sealed class KeyVerifier(Identity.IdentityClient identity, IEventBus bus, TimeProvider time) : BackgroundService
{
    /// <summary>Topic of changes to keys; the payload is the key's id in UTF-8.</summary>
    public const string ChangesTopic = "identity/keys";

    /// <summary>Answers kept. Guessed keys fill it with "unknown", which costs a new question, never memory.</summary>
    internal const int Capacity = 16_384;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<KeyHash, Answer> _answers = new();
    private readonly ConcurrentDictionary<KeyHash, Lazy<Task<VerifiedKey>>> _asking = new();
    private BusSubscription? _subscription;
    private long _changes;

    /// <summary>What identity says about a key, at most seconds ago.</summary>
    /// <exception cref="RpcException">Identity cannot be asked.</exception>
    public ValueTask<VerifiedKey> VerifyAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var hash = KeyHash.Of(key);
        return _answers.TryGetValue(hash, out var answer) && time.GetTimestamp() < answer.Until
            ? ValueTask.FromResult(answer.Key)
            : new ValueTask<VerifiedKey>(AskOnceAsync(hash, cancellationToken));
    }

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the first answer is kept: from here on no change is missed.
        _subscription = await bus.SubscribeAsync(ChangesTopic, cancellationToken).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var changes = _subscription!;
        try
        {
            while (true)
            {
                var message = await changes.ReadAsync(stoppingToken).ConfigureAwait(false);
                Forget(message.IsGap ? null : Encoding.UTF8.GetString(message.Payload.Span));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Calls with the same key that come at the same moment ask once.</summary>
    private Task<VerifiedKey> AskOnceAsync(KeyHash hash, CancellationToken cancellationToken) =>
        _asking.GetOrAdd(hash, added => new Lazy<Task<VerifiedKey>>(() => AskAsync(added))).Value.WaitAsync(cancellationToken);

    private async Task<VerifiedKey> AskAsync(KeyHash hash)
    {
        // The question is shared: it neither belongs to the call that came first nor ends with it.
        OpenWop.Micro.Grpc.AmbientCall.Leave();
        try
        {
            var changes = Interlocked.Read(ref _changes);
            var reply = await identity.VerifyKeyAsync(
                new VerifyKeyRequest { KeyHash = hash.ToByteString() }, deadline: time.GetUtcNow().UtcDateTime + Patience).ConfigureAwait(false);
            var key = VerifiedKey.From(reply);

            // An answer that a change has overtaken is good for the calls that wait for it, not for later ones.
            if (reply.MaxAgeSeconds > 0 && Interlocked.Read(ref _changes) == changes)
            {
                if (_answers.Count >= Capacity)
                    _answers.Clear();

                _answers[hash] = new Answer(key, time.GetTimestamp() + (reply.MaxAgeSeconds * time.TimestampFrequency));
            }

            return key;
        }
        finally
        {
            _asking.TryRemove(hash, out _);
        }
    }

    private void Forget(string? keyId)
    {
        Interlocked.Increment(ref _changes);
        if (keyId is null)
        {
            _answers.Clear();
            return;
        }

        // Changes are rare. An answer without a caller may be about a key that has just been made.
        foreach (var (hash, answer) in _answers)
        {
            if (answer.Key.Caller is null || answer.Key.Caller.KeyId == keyId)
                _answers.TryRemove(hash, out _);
        }
    }

    private sealed record Answer(VerifiedKey Key, long Until);

    private readonly record struct KeyHash(UInt128 High, UInt128 Low)
    {
        private const int StackLimit = 1024;

        public static KeyHash Of(string key)
        {
            var size = Encoding.UTF8.GetMaxByteCount(key.Length);
            Span<byte> bytes = size <= StackLimit ? stackalloc byte[StackLimit] : new byte[size];
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(key, bytes)], hash);
            return new KeyHash(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
        }

        public ByteString ToByteString()
        {
            var bytes = new byte[SHA256.HashSizeInBytes];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
            BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(16), Low);
            return UnsafeByteOperations.UnsafeWrap(bytes);
        }
    }
}
