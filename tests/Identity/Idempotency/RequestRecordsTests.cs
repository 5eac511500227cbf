using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Identity.Idempotency;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests.Idempotency;

public sealed class SqliteRequestRecordsTests : RequestRecordsTests
{
    private readonly TempFolder _folder = new();

    protected override Task<Database> OpenAsync() => Task.FromResult(Database.Create(DatabaseOptions.Sqlite(_folder.File("identity.db"), "identity")));

    protected override Task CloseAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}

public sealed class PostgreSqlRequestRecordsTests(PostgreSqlRequestRecordsTests.Server server)
    : RequestRecordsTests, IClassFixture<PostgreSqlRequestRecordsTests.Server>
{
    protected override Task<Database> OpenAsync() =>
        Task.FromResult(Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "test_" + Guid.NewGuid().ToString("n"))));

    protected override Task CloseAsync() => Task.CompletedTask;

    /// <summary>One server, a schema per test.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private PostgreSqlServer _server = null!;

        public string ConnectionString => _server.ConnectionString;

        public async Task InitializeAsync() => _server = await PostgreSqlServer.StartAsync();

        public async Task DisposeAsync() => await _server.DisposeAsync();
    }
}

/// <summary>spec/http-core.md 6.1, "Lookup procedure", on both engines.</summary>
public abstract class RequestRecordsTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly byte[] Record = Digest("record");
    private static readonly byte[] Request = Digest("request");
    private static readonly RecordedAnswer Created = new(201, "{\"runId\":\"run-1\"}"u8.ToArray(), "etag");

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly string _formerKey = NewKey();
    private Database _database = null!;
    private RequestRecords _records = null!;

    public async Task InitializeAsync()
    {
        _database = await OpenAsync();
        await Migrations.ApplyAsync(_database, typeof(RequestRecords).Assembly, CancellationToken.None);
        _records = Records(_formerKey);
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await CloseAsync();
    }

    [Fact]
    public async Task Of_any_number_of_calls_at_once_one_executes()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => BeginAsync())));
        Assert.Single(claims.OfType<Claim.Execute>());
        Assert.Equal(19, claims.OfType<Claim.InFlight>().Count());
        Assert.All(claims.OfType<Claim.InFlight>(), claim => Assert.InRange(claim.AtMost, TimeSpan.FromMilliseconds(1), Lease));
    }

    [Fact]
    public async Task A_final_outcome_is_replayed_to_the_same_request_and_refused_to_another()
    {
        var claim = await ExecuteAsync();
        Assert.True(await _records.FinishAsync(Record, claim.Lease, Created, CancellationToken.None));
        var replay = Assert.IsType<Claim.Replay>(await BeginAsync());
        Assert.Equal((201, "{\"runId\":\"run-1\"}", "etag"), (replay.Answer.Status, Encoding.UTF8.GetString(replay.Answer.Body.Span), replay.Answer.ETag));
        Assert.IsType<Claim.Mismatch>(await BeginAsync(Digest("another request")));
    }

    [Fact]
    public async Task A_temporary_outcome_lets_the_next_call_execute_as_the_same_execution()
    {
        var first = await ExecuteAsync();
        Assert.True(await _records.RetryAsync(Record, first.Lease, CancellationToken.None));
        var second = await ExecuteAsync(Digest("corrected request"));
        Assert.Equal(first.Execution, second.Execution);
        Assert.True(await _records.FinishAsync(Record, second.Lease, Created, CancellationToken.None));
        Assert.IsType<Claim.Replay>(await BeginAsync(Digest("corrected request")));
    }

    [Fact]
    public async Task A_discarded_record_never_was()
    {
        var first = await ExecuteAsync();
        Assert.True(await _records.DiscardAsync(Record, first.Lease, CancellationToken.None));
        Assert.NotEqual(first.Execution, (await ExecuteAsync(Digest("corrected request"))).Execution);
    }

    [Fact]
    public async Task A_lease_that_has_run_out_is_taken_over_once_and_its_former_holder_changes_nothing()
    {
        var dead = await ExecuteAsync();
        _time.Advance(Lease + TimeSpan.FromMilliseconds(1));
        var claims = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => BeginAsync())));
        var alive = Assert.Single(claims.OfType<Claim.Execute>());
        Assert.Equal(dead.Execution, alive.Execution);

        Assert.False(await _records.FinishAsync(Record, dead.Lease, Created, CancellationToken.None));
        Assert.False(await _records.RetryAsync(Record, dead.Lease, CancellationToken.None));
        Assert.False(await _records.DiscardAsync(Record, dead.Lease, CancellationToken.None));
        Assert.True(await _records.FinishAsync(Record, alive.Lease, Created, CancellationToken.None));
    }

    [Fact]
    public async Task After_a_day_a_key_is_fresh_whether_it_was_swept_or_not()
    {
        var first = await ExecuteAsync();
        await _records.FinishAsync(Record, first.Lease, Created, CancellationToken.None);
        _time.Advance(RequestRecords.Retention - TimeSpan.FromMinutes(1));
        Assert.Equal(0, await _records.SweepAsync(RequestRecords.MaxPerTenant, CancellationToken.None));
        Assert.IsType<Claim.Replay>(await BeginAsync());

        _time.Advance(TimeSpan.FromMinutes(2));
        var fresh = await ExecuteAsync(Digest("another request"));
        Assert.NotEqual(first.Execution, fresh.Execution);
        await _records.FinishAsync(Record, fresh.Lease, Created, CancellationToken.None);

        _time.Advance(RequestRecords.Retention);
        Assert.Equal(1, await _records.SweepAsync(RequestRecords.MaxPerTenant, CancellationToken.None));
    }

    [Fact]
    public async Task A_tenant_with_too_many_records_loses_its_oldest_and_nobody_elses()
    {
        for (var i = 0; i < 5; i++)
        {
            await _records.BeginAsync(Digest($"a{i}"), "crowded", Request, Lease, CancellationToken.None);
            await _records.BeginAsync(Digest($"b{i}"), i < 2 ? "calm" : "calmer", Request, Lease, CancellationToken.None);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, await _records.SweepAsync(maxPerTenant: 3, CancellationToken.None));
        Assert.IsType<Claim.Execute>(await _records.BeginAsync(Digest("a0"), "crowded", Request, Lease, CancellationToken.None));
        Assert.IsType<Claim.Execute>(await _records.BeginAsync(Digest("a1"), "crowded", Request, Lease, CancellationToken.None));
        Assert.IsType<Claim.InFlight>(await _records.BeginAsync(Digest("a2"), "crowded", Request, Lease, CancellationToken.None));
        Assert.IsType<Claim.InFlight>(await _records.BeginAsync(Digest("b0"), "calm", Request, Lease, CancellationToken.None));
    }

    [Fact]
    public async Task What_is_kept_of_a_request_holds_nothing_to_check_a_guess_against()
    {
        var claim = await ExecuteAsync();
        await _records.FinishAsync(Record, claim.Lease, Created, CancellationToken.None);

        var (digest, execution) = await StoredAsync();
        Assert.Equal(-1, digest.AsSpan().IndexOf(Request.AsSpan(0, 8)));
        Assert.NotEqual(SHA256.HashData(Request), digest[^32..]);
        Assert.Equal(-1, execution.AsSpan().IndexOf(claim.Execution.AsSpan(0, 8)));
        Assert.Equal(32, claim.Execution.Length);
    }

    [Fact]
    public async Task Records_outlive_a_change_of_the_key_as_long_as_the_former_one_is_there()
    {
        var key = NewKey();
        var first = await ExecuteAsync();
        await _records.RetryAsync(Record, first.Lease, CancellationToken.None);
        var second = Assert.IsType<Claim.Execute>(await Records($"{key},{_formerKey}").BeginAsync(Record, "tenant-a", Request, Lease, CancellationToken.None));
        Assert.Equal(first.Execution, second.Execution);
        await _records.FinishAsync(Record, second.Lease, Created, CancellationToken.None);

        Assert.IsType<Claim.Replay>(await Records($"{key},{_formerKey}").BeginAsync(Record, "tenant-a", Request, Lease, CancellationToken.None));
        Assert.IsType<Claim.Mismatch>(await Records($"{key},{_formerKey}").BeginAsync(Record, "tenant-a", Digest("another"), Lease, CancellationToken.None));
        Assert.IsType<Claim.Replay>(await Records(key).BeginAsync(Record, "tenant-a", Request, Lease, CancellationToken.None));
        Assert.IsType<Claim.Mismatch>(await Records(NewKey()).BeginAsync(Record, "tenant-a", Request, Lease, CancellationToken.None));
    }

    [Fact]
    public async Task Records_from_before_digests_had_a_key_are_replayed_refused_and_taken_over_as_ever()
    {
        var execution = RandomNumberGenerator.GetBytes(16);
        await InsertFormerAsync(Record, execution, state: 1);
        Assert.IsType<Claim.Replay>(await BeginAsync());
        Assert.IsType<Claim.Mismatch>(await BeginAsync(Digest("another request")));

        var open = Digest("left open");
        await InsertFormerAsync(open, execution, state: 2);
        var claim = Assert.IsType<Claim.Execute>(await _records.BeginAsync(open, "tenant-a", Request, Lease, CancellationToken.None));
        Assert.Equal(execution, claim.Execution);
        await _records.RetryAsync(open, claim.Lease, CancellationToken.None);
        claim = Assert.IsType<Claim.Execute>(await _records.BeginAsync(open, "tenant-a", Request, Lease, CancellationToken.None));
        Assert.Equal(execution, claim.Execution);
        await _records.FinishAsync(open, claim.Lease, Created, CancellationToken.None);
        Assert.IsType<Claim.Replay>(await _records.BeginAsync(open, "tenant-a", Request, Lease, CancellationToken.None));
    }

    protected abstract Task<Database> OpenAsync();

    protected abstract Task CloseAsync();

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>An instance of the service with these keys.</summary>
    private RequestRecords Records(string keys)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(SealingKeys.Setting, keys), new(ServiceSecret.Setting, new string('s', 32))]).Build();
        return new RequestRecords(_database, new KeyedDigest(SealingKeys.Load(configuration, new ServiceSecret(configuration, new HostedServices()), "identity secrets")), _time);
    }

    private async Task<(byte[] Digest, byte[] Execution)> StoredAsync()
    {
        await using var session = await _database.OpenReadAsync(CancellationToken.None);
        await using var row = await session.QueryAsync("SELECT request_digest, execution FROM idempotency_records");
        Assert.True(await row.ReadAsync());
        return (row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1));
    }

    /// <param name="state">1 = final, 2 = to be executed again.</param>
    private Task<int> InsertFormerAsync(byte[] record, byte[] execution, long state) => _database.WriteAsync(
        session => session.ExecuteAsync(
            "INSERT INTO idempotency_records (record_id, tenant, request_digest, execution, state, status, body, etag, created_at) VALUES ($1, 'tenant-a', $2, $3, $4, 201, $5, '', $6)",
            record, Request, execution, state, "{}"u8.ToArray(), _time.GetUtcNow().ToUnixTimeMilliseconds()),
        CancellationToken.None);

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private async Task<Claim.Execute> ExecuteAsync(byte[]? digest = null) => Assert.IsType<Claim.Execute>(await BeginAsync(digest));

    private Task<Claim> BeginAsync(byte[]? digest = null) => _records.BeginAsync(Record, "tenant-a", digest ?? Request, Lease, CancellationToken.None);
}
