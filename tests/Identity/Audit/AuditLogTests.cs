using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests.Audit;

/// <summary>Whoever changes the audit log in the database is found out, and where.</summary>
public sealed class AuditLogTests
{
    private const int Entries = 2_300; // two checkpoints and something after them

    public static TheoryData<SqlDialect> Dialects => [SqlDialect.Sqlite, SqlDialect.PostgreSql];

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_untouched_log_is_valid_in_every_range(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(Entries);

        var whole = await log.VerifyAsync(0, 100_000);
        Assert.True(whole.ChainValid);
        Assert.Equal([1000L, 2000L], whole.Checkpoints.Select(checkpoint => checkpoint.Sequence));
        foreach (var (from, to) in new[] { (0L, 0L), (1, 1), (1, 2), (999, 1001), (1000, 1000), (1001, 1001), (1002, 1002), (2001, 2300), (2300, 2300), (2301, 5000) })
            Assert.True((await log.VerifyAsync(from, to)).ChainValid, $"{from} to {to}");
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_range_beyond_a_checkpoint_at_the_end_is_empty_and_valid(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(1_000);
        foreach (var (from, to) in new[] { (1000L, 1000L), (1001, 2000), (1002, 2000), (5000, 9000) })
            Assert.Empty((await log.VerifyAsync(from, to)).Anomalies);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_altered_entry_is_found_by_the_one_after_it(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(Entries);
        await log.AlterAsync(1234);
        Assert.Equal(1235, Assert.Single((await log.VerifyAsync(0, 100_000)).Anomalies).AtSequence);
        Assert.False((await log.VerifyAsync(0, 100_000)).CheckpointsValid);
        Assert.True((await log.VerifyAsync(0, 999)).ChainValid);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_altered_last_entry_is_found_by_the_head(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(20);
        await log.AlterAsync(20);
        Assert.Equal(21, Assert.Single((await log.VerifyAsync(0, 100)).Anomalies).AtSequence);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_missing_entry_is_found(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(50);
        await log.ExecuteAsync("DELETE FROM audit_entries WHERE sequence = 17");
        Assert.Equal(17, (await log.VerifyAsync(0, 100)).Anomalies[0].AtSequence);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task An_end_that_was_cut_off_is_found_by_the_checkpoint_even_when_the_head_was_set_back(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(900);
        var (hash, frontier) = await log.HeadAsync();
        await log.FillAsync(200);
        await log.ExecuteAsync("DELETE FROM audit_entries WHERE sequence > 900");
        await log.ExecuteAsync("UPDATE tenants SET audit_sequence = 900, audit_hash = $1, audit_frontier = $2, audit_checkpoint = 0", hash, frontier);

        var verdict = await log.VerifyAsync(0, 100_000);
        Assert.False(verdict.CheckpointsValid);
        Assert.Equal(1000, Assert.Single(verdict.Anomalies).AtSequence);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_log_that_was_written_anew_is_found_by_the_signatures(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(1000);
        var (root, _) = await log.HeadAsync();
        await log.ExecuteAsync("UPDATE audit_checkpoints SET merkle_root = $1", root);
        Assert.False((await log.VerifyAsync(0, 1000)).CheckpointsValid);

    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_batch_counts_once_and_batches_at_once_make_one_chain(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => log.AppendAsync($"batch-{number}", 100)));
        await log.AppendAsync("batch-3", 100);
        Assert.Equal(800, await log.CountAsync());
        Assert.True((await log.VerifyAsync(0, 1000)).ChainValid);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task What_is_new_is_sealed_after_a_while(SqlDialect dialect)
    {
        await using var log = await AuditLogHost.StartAsync(dialect);
        await log.FillAsync(12);
        await log.SealAsync();
        await log.SealAsync();
        Assert.Equal(12, Assert.Single((await log.VerifyAsync(0, 100)).Checkpoints).Sequence);
        await log.FillAsync(3);
        await log.SealAsync();
        var verdict = await log.VerifyAsync(0, 100);
        Assert.Equal([12L, 15L], verdict.Checkpoints.Select(checkpoint => checkpoint.Sequence));
        Assert.True(verdict.ChainValid);
    }

    [Fact]
    public void The_root_of_a_tree_does_not_depend_on_when_it_was_stored()
    {
        var (straight, stored) = (new MerkleFrontier(), new MerkleFrontier());
        for (var i = 0; i < 300; i++)
        {
            straight.Add([(byte)i]);
            stored.Add([(byte)i]);
            stored = MerkleFrontier.Parse(stored.Count, stored.ToBytes());
            Assert.Equal(straight.Root(), stored.Root());
        }
    }
}

/// <summary>The audit log of one organization in a database that the tests may break.</summary>
internal sealed class AuditLogHost : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private PostgreSqlServer? _server;
    private Database _database = null!;
    private AuditCheckpoints _checkpoints = null!;
    private AuditTrail _trail = null!;
    private AuditVerification _verification = null!;
    private int _batches;

    public static async Task<AuditLogHost> StartAsync(SqlDialect dialect)
    {
        var host = new AuditLogHost();
        if (dialect == SqlDialect.PostgreSql)
            host._server = await PostgreSqlServer.StartAsync();
        host._database = Database.Create(host._server is { } server
            ? DatabaseOptions.PostgreSql(server.ConnectionString, "identity")
            : DatabaseOptions.Sqlite(host._folder.File("identity.db"), "identity"));
        await Migrations.ApplyAsync(host._database, typeof(IdentityHosting).Assembly, CancellationToken.None);

        var settings = new ConfigurationBuilder().AddInMemoryCollection([new(CheckpointKey.Setting, Convert.ToBase64String(new byte[32]))]).Build();
        var key = CheckpointKey.Load(settings, null!);
        host._checkpoints = new AuditCheckpoints(host._database, key, TimeProvider.System, NullLogger<AuditCheckpoints>.Instance);
        host._trail = new AuditTrail(host._database, host._checkpoints);
        host._verification = new AuditVerification(host._database, key);
        await host.ExecuteAsync("INSERT INTO tenants (tenant, created_at) VALUES ($1, 0)", "tenant-a");
        return host;
    }

    public Task FillAsync(int count) => AppendAsync($"fill-{_batches++}", count);

    public Task AppendAsync(string batch, int count) => _trail.AppendAsync(
        batch, [.. Enumerable.Range(0, count).Select(number => ("tenant-a", new PendingEntry("ada", "key-1", "POST /v1/runs", $"run-{number}", null, number)))], 0, CancellationToken.None);

    public Task<AuditVerdict> VerifyAsync(long from, long to) => _verification.VerifyAsync("tenant-a", from, to, CancellationToken.None);

    public Task SealAsync() => _checkpoints.SealAsync(CancellationToken.None);

    public Task ExecuteAsync(string sql, params object[] values) => _database.WriteAsync(session => session.ExecuteAsync(sql, values), CancellationToken.None);

    /// <summary>Somebody did it, but somebody else.</summary>
    public async Task AlterAsync(long sequence)
    {
        var entry = (await _trail.ListAsync("tenant-a", sequence - 1, 1, CancellationToken.None)).Single().Entry;
        var altered = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(entry).Replace("\"ada\"", "\"eve\"", StringComparison.Ordinal));
        await ExecuteAsync("UPDATE audit_entries SET entry = $1 WHERE sequence = $2", altered, sequence);
    }

    public async Task<(byte[] Hash, byte[] Frontier)> HeadAsync()
    {
        await using var session = await _database.OpenReadAsync(CancellationToken.None);
        await using var row = await session.QueryAsync("SELECT audit_hash, audit_frontier FROM tenants");
        await row.ReadAsync();
        return (row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1));
    }

    public async Task<long> CountAsync()
    {
        await using var session = await _database.OpenReadAsync(CancellationToken.None);
        return await session.ScalarAsync<long>("SELECT count(*) FROM audit_entries");
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }
}
