using System.Text.Json;
using Npgsql;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>What a client sees when transactions of the database lose to others, however often they are repeated.</summary>
public sealed class DatabaseConflictTests(DatabaseConflictTests.OnPostgreSql on) : IClassFixture<DatabaseConflictTests.OnPostgreSql>
{
    [Theory]
    [InlineData("40P01", "workflows.workflow_versions", "PUT", "/v1/workflows/loses")]
    [InlineData("40001", "runs.run_events", "POST", "/v1/runs")]
    [InlineData("40P01", "identity.idempotency_records", "POST", "/v1/runs")]
    [InlineData("40P01", "identity.secrets", "PUT", "/v1/secrets/loses")]
    [InlineData("40001", "scheduler.schedules", "POST", "/api/schedules")]
    [InlineData("40P01", "webhooks.subscriptions", "POST", "/v1/webhooks")]
    public async Task A_deadlock_that_does_not_end_is_unavailability_and_the_same_call_succeeds_later(string state, string table, string method, string path)
    {
        using var client = new Client(on.Installation.BaseUrl);
        await client.StoreAsync("noop", $"[{Client.Node("a", "core.noop")}]");
        var body = path switch
        {
            "/v1/runs" => """{"workflowId":"noop"}""",
            "/v1/secrets/loses" => """{"value":"a long secret value"}""",
            "/v1/webhooks" => """{"url":"https://example.com/hook","events":["run.completed"]}""",
            "/api/schedules" => """{"workflowId":"noop","cron":"0 3 * * *"}""",
            _ => Client.Workflow("loses", $"[{Client.Node("a", "core.noop")}]"),
        };
        await ExecuteAsync(on.Postgres, $"""
            CREATE FUNCTION {table}_loses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'others' USING ERRCODE = '{state}'; END $$;
            CREATE TRIGGER loses BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_loses();
            """);

        using (var refused = await client.SendAsync(method, path, body, ("Idempotency-Key", table)))
        {
            Assert.Equal(503, (int)refused.StatusCode);
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
            Assert.Equal("service_unavailable", JsonElement.Parse(await refused.Content.ReadAsStringAsync()).GetProperty("error").GetString());
        }

        await ExecuteAsync(on.Postgres, $"DROP TRIGGER loses ON {table}");
        using var again = await client.SendAsync(method, path, body, ("Idempotency-Key", table));
        Assert.Equal(201, (int)again.StatusCode);
    }

    /// <summary>All in one process, on a server that the tests can reach.</summary>
    public sealed class OnPostgreSql() : InstallationFixture(Form.Embedded)
    {
        internal PostgreSqlServer Postgres { get; private set; } = null!;

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            await Postgres.DisposeAsync();
        }

        protected override async Task<(string Name, string Value)[]> SettingsAsync()
        {
            Postgres = await PostgreSqlServer.StartAsync();
            return [("OPENWOP_POSTGRES", Postgres.ConnectionString)];
        }
    }

    private static async Task ExecuteAsync(PostgreSqlServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
