using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Audit;

/// <summary>A place where a log does not continue what stands before it; hashes as hex.</summary>
internal sealed record AuditAnomaly(long AtSequence, string Expected, string Actual);

/// <summary>A signed checkpoint as it is shown.</summary>
internal sealed record AuditCheckpoint(string Id, long Sequence, byte[] MerkleRoot, byte[] Signature);

/// <summary>What walking a range again has shown.</summary>
internal sealed record AuditVerdict(bool CheckpointsValid, IReadOnlyList<AuditCheckpoint> Checkpoints, IReadOnlyList<AuditAnomaly> Anomalies)
{
    public bool ChainValid => CheckpointsValid && Anomalies.Count == 0;
}

/// <summary>
/// Walks a range of an audit log again: every entry must hold the hash of the one before, no sequence may be missing, every checkpoint
/// must be signed and be the Merkle root of what stands before it, and the log must not end before its last checkpoint or before its own
/// head. The walk begins at the last checkpoint before the range, which is signed and so needs no proof of its own.
/// </summary>
internal sealed class AuditVerification([FromKeyedServices("identity")] Database database, CheckpointKey key)
{
    /// <summary>Entries of one verification.</summary>
    public const int MaxRange = 100_000;

    private const string Missing = "missing";

    public async Task<AuditVerdict> VerifyAsync(string tenant, long from, long to, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        if (await AuditHead.ReadAsync(session, tenant) is not { } head)
            return new(true, [], []);

        // An entry that the range does not hold any more is vouched for by the one after it.
        var last = Math.Min(to, head.Sequence);
        var walk = await StartAsync(session, tenant, from);
        var checkpoints = await CheckpointsAsync(session, tenant, walk.Frontier.Count + 1, Math.Max(to, walk.Frontier.Count));
        await ReadAsync(session, tenant, walk, checkpoints, from, last);
        // A range beyond the end has walked nothing that the head could be compared with.
        if (last >= from && last == head.Sequence && walk.PreviousHash != head.Hash && walk.Anomalies.Count == 0)
            walk.Anomalies.Add(new(last + 1, walk.PreviousHash ?? Missing, head.Hash ?? Missing));

        // A checkpoint that nothing leads up to: the end was cut off.
        foreach (var checkpoint in checkpoints.Where(checkpoint => checkpoint.Sequence > walk.Frontier.Count))
        {
            walk.CheckpointsValid = false;
            walk.Anomalies.Add(new(checkpoint.Sequence, Convert.ToHexStringLower(checkpoint.MerkleRoot), Missing));
        }

        return new(walk.CheckpointsValid, [.. checkpoints.Where(checkpoint => checkpoint.Sequence >= from)], walk.Anomalies);
    }

    /// <summary>The result as <c>AuditVerifyResult</c>.</summary>
    public static byte[] ToJson(AuditVerdict verdict, long from, long to)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteNumber("fromSeq", from);
            json.WriteNumber("toSeq", to);
            json.WriteBoolean("chainValid", verdict.ChainValid);
            json.WriteBoolean("checkpointsValid", verdict.CheckpointsValid);
            json.WriteStartArray("checkpoints");
            foreach (var checkpoint in verdict.Checkpoints)
            {
                json.WriteStartObject();
                json.WriteString("checkpoint", checkpoint.Id);
                json.WriteNumber("atSequence", checkpoint.Sequence);
                json.WriteString("merkleRoot", Convert.ToHexStringLower(checkpoint.MerkleRoot));
                json.WriteString("signature", Convert.ToBase64String(checkpoint.Signature));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("anomalies");
            foreach (var anomaly in verdict.Anomalies)
            {
                json.WriteStartObject();
                json.WriteNumber("atSeq", anomaly.AtSequence);
                json.WriteString("expectedPrevHash", anomaly.Expected);
                json.WriteString("actualPrevHash", anomaly.Actual);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return output.WrittenMemory.ToArray();
    }

    private async Task<Walk> StartAsync(ReadSession session, string tenant, long from)
    {
        // One entry more than the range: the first one of it must continue something.
        await using var row = await session.QueryAsync(
            "SELECT sequence, merkle_root, frontier, signature FROM audit_checkpoints WHERE tenant = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT 1", tenant, from - 1);
        if (!await row.ReadAsync(session.CancellationToken))
            return new Walk(new MerkleFrontier());

        var sequence = row.GetInt64(0);
        var (root, signature) = (row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(3));
        try
        {
            var frontier = MerkleFrontier.Parse(sequence, row.GetFieldValue<byte[]>(2));
            return new Walk(frontier) { CheckpointsValid = frontier.Root().AsSpan().SequenceEqual(root) && IsSigned(tenant, sequence, root, signature) };
        }
        catch (FormatException)
        {
            return new Walk(new MerkleFrontier()) { CheckpointsValid = false };
        }
    }

    private async Task ReadAsync(ReadSession session, string tenant, Walk walk, List<AuditCheckpoint> checkpoints, long from, long last)
    {
        await using var rows = await session.QueryAsync(
            "SELECT sequence, entry FROM audit_entries WHERE tenant = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence", tenant, walk.Frontier.Count, last);
        var next = 0;
        while (await rows.ReadAsync(session.CancellationToken))
        {
            var (sequence, entry) = (rows.GetInt64(0), rows.GetFieldValue<byte[]>(1));
            walk.Add(sequence, entry, from);
            for (; next < checkpoints.Count && checkpoints[next].Sequence <= sequence; next++)
            {
                var checkpoint = checkpoints[next];
                walk.CheckpointsValid &= checkpoint.Sequence == walk.Frontier.Count
                    && walk.Frontier.Root().AsSpan().SequenceEqual(checkpoint.MerkleRoot)
                    && IsSigned(tenant, checkpoint.Sequence, checkpoint.MerkleRoot, checkpoint.Signature);
            }
        }

        if (last >= from && walk.Frontier.Count < last)
            walk.Anomalies.Add(new(walk.Frontier.Count + 1, walk.PreviousHash ?? Missing, Missing));
    }

    private static async Task<List<AuditCheckpoint>> CheckpointsAsync(ReadSession session, string tenant, long from, long to)
    {
        await using var rows = await session.QueryAsync(
            "SELECT sequence, merkle_root, signature FROM audit_checkpoints WHERE tenant = $1 AND sequence >= $2 AND sequence <= $3 ORDER BY sequence", tenant, from, to);
        var checkpoints = new List<AuditCheckpoint>();
        while (await rows.ReadAsync(session.CancellationToken))
            checkpoints.Add(new(AuditCheckpoints.IdOf(tenant, rows.GetInt64(0)), rows.GetInt64(0), rows.GetFieldValue<byte[]>(1), rows.GetFieldValue<byte[]>(2)));
        return checkpoints;
    }

    private bool IsSigned(string tenant, long sequence, byte[] root, byte[] signature) =>
        key.Verify(CheckpointKey.Message(AuditCheckpoints.IdOf(tenant, sequence), sequence, root), signature);

    /// <summary>How far a verification has come.</summary>
    private sealed class Walk(MerkleFrontier frontier)
    {
        private bool _isFirst = true;

        public MerkleFrontier Frontier => frontier;

        public bool CheckpointsValid { get; set; } = true;

        public List<AuditAnomaly> Anomalies { get; } = [];

        /// <summary>Hash of the last entry; null = none yet.</summary>
        public string? PreviousHash { get; private set; }

        public void Add(long sequence, byte[] entry, long from)
        {
            var claimed = ClaimedHash(entry);

            // After a checkpoint the entry before is known by its Merkle leaf, not by its hash.
            var isUnknown = _isFirst && frontier.Count > 0;
            if (sequence != frontier.Count + 1)
                Report(frontier.Count + 1, PreviousHash ?? Missing, Missing, from);
            else if (!isUnknown && claimed != PreviousHash)
                Report(sequence, PreviousHash ?? Missing, claimed ?? Missing, from);

            _isFirst = false;
            PreviousHash = Convert.ToHexStringLower(SHA256.HashData(entry));
            frontier.Add(entry);
        }

        private void Report(long sequence, string expected, string actual, long from)
        {
            if (sequence >= from)
                Anomalies.Add(new(sequence, expected, actual));
        }

        private static string? ClaimedHash(byte[] entry)
        {
            try
            {
                return JsonElement.Parse(entry).GetProperty("prevHash").GetString();
            }
            catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                return "unreadable";
            }
        }
    }
}
