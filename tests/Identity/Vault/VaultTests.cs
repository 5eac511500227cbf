using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Tokens;
using OpenWop.Micro.Identity.Vault;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using VaultClient = OpenWop.Micro.Contracts.Identity.V1.Vault.VaultClient;

namespace OpenWop.Micro.Identity.Tests.Vault;

/// <summary>Values go in, and come out for the runs of their owner only.</summary>
public sealed class VaultTests
{
    private const string Canary = "sk-CANARY-openwop-never-at-rest-0001";

    public static TheoryData<SqlDialect> Dialects => [SqlDialect.Sqlite, SqlDialect.PostgreSql];

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_secret_is_stored_replaced_listed_and_removed(SqlDialect dialect)
    {
        await using var fixture = await VaultFixture.StartAsync(dialect);
        var user = await fixture.UserAsync("acme", "secrets:manage");

        var created = await user.PutAsync(new PutSecretRequest { SecretId = "model-key", Value = Text(Canary), Description = "for the model" });
        Assert.True(created.Created);
        Assert.Equal((1L, "for the model"), (created.Secret.Version, created.Secret.Description));
        var again = await user.PutAsync(new PutSecretRequest { SecretId = "model-key", Value = Text(Canary), Description = "for the model" });
        Assert.Equal((false, 1L), (again.Created, again.Secret.Version));
        var replaced = await user.PutAsync(new PutSecretRequest { SecretId = "model-key", Value = Text(Canary + "x") });
        Assert.Equal((false, 2L), (replaced.Created, replaced.Secret.Version));

        await user.PutAsync(new PutSecretRequest { SecretId = "Another.one", Value = Text("another value") });
        var page = await user.ListAsync(new ListSecretsRequest { Limit = 1 });
        Assert.Equal(("Another.one", true), (Assert.Single(page.Secrets).SecretId, page.More));
        var rest = await user.ListAsync(new ListSecretsRequest { Limit = 1, After = "Another.one" });
        Assert.Equal(("model-key", false), (Assert.Single(rest.Secrets).SecretId, rest.More));
        Assert.DoesNotContain(Canary, page.ToString() + rest, StringComparison.Ordinal);

        Assert.Equal(Canary + "x", await fixture.ResolveAsync("acme", isTest: false, "model-key"));
        await user.DeleteAsync(new DeleteSecretRequest { SecretId = "model-key" });
        await user.DeleteAsync(new DeleteSecretRequest { SecretId = "model-key" }).FailsAsync(StatusCode.NotFound);
        Assert.Null(await fixture.ResolveAsync("acme", isTest: false, "model-key"));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Tenants_and_modes_do_not_see_each_others_secrets(SqlDialect dialect)
    {
        await using var fixture = await VaultFixture.StartAsync(dialect);
        var live = await fixture.UserAsync("acme", "secrets:manage");
        await live.PutAsync(new PutSecretRequest { SecretId = "key", Value = Text(Canary) });
        foreach (var other in new[] { await fixture.UserAsync("acme", "secrets:manage", isTest: true), await fixture.UserAsync("other", "*") })
        {
            Assert.Empty((await other.ListAsync(new ListSecretsRequest())).Secrets);
            await other.DeleteAsync(new DeleteSecretRequest { SecretId = "key" }).FailsAsync(StatusCode.NotFound);
        }

        Assert.Null(await fixture.ResolveAsync("acme", isTest: true, "key"));
        Assert.Null(await fixture.ResolveAsync("other", isTest: false, "key"));
        Assert.Equal(Canary, await fixture.ResolveAsync("acme", isTest: false, "key"));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_sealed_value_that_is_moved_to_another_row_does_not_open(SqlDialect dialect)
    {
        await using var fixture = await VaultFixture.StartAsync(dialect);
        var user = await fixture.UserAsync("acme", "secrets:manage");
        await user.PutAsync(new PutSecretRequest { SecretId = "one", Value = Text(Canary) });
        await user.PutAsync(new PutSecretRequest { SecretId = "two", Value = Text("another value") });
        await fixture.Database.WriteAsync(
            session => session.ExecuteAsync("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE secret_id = 'one') WHERE secret_id = 'two'"), CancellationToken.None);

        Assert.Null(await fixture.ResolveAsync("acme", isTest: false, "two"));
        Assert.Equal(Canary, await fixture.ResolveAsync("acme", isTest: false, "one"));

        // Nothing is lost for good: the next value replaces what cannot be opened.
        await user.PutAsync(new PutSecretRequest { SecretId = "two", Value = Text("another value") });
        Assert.Equal("another value", await fixture.ResolveAsync("acme", isTest: false, "two"));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Keys_rotate_without_a_moment_in_which_a_secret_cannot_be_read(SqlDialect dialect)
    {
        string first = NewKey(), second = NewKey();
        await using var fixture = await VaultFixture.StartAsync(dialect, first);
        var user = await fixture.UserAsync("acme", "secrets:manage");
        foreach (var number in Enumerable.Range(0, 120))
            await user.PutAsync(new PutSecretRequest { SecretId = $"key-{number}", Value = Text($"{Canary}-{number}") });

        await fixture.RestartAsync($"{second},{first}");
        Assert.Equal($"{Canary}-7", await fixture.ResolveAsync("acme", isTest: false, "key-7"));
        var rotation = ActivatorUtilities.CreateInstance<SecretRotation>(fixture.Host.Services);
        await rotation.RunAsync(CancellationToken.None);

        await fixture.RestartAsync(second);
        foreach (var number in new[] { 0, 7, 99, 100, 119 })
            Assert.Equal($"{Canary}-{number}", await fixture.ResolveAsync("acme", isTest: false, $"key-{number}"));
    }

    [Fact]
    public async Task The_database_file_does_not_hold_the_value()
    {
        using var folder = new TempFolder();
        await using (var host = await IdentityHost.StartAsync(folder))
        {
            var fixture = new VaultFixture(host, null);
            await (await fixture.UserAsync("acme", "secrets:manage")).PutAsync(new PutSecretRequest { SecretId = "key", Value = Text(Canary) });
        }

        foreach (var file in Directory.GetFiles(folder.Path))
            Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes("CANARY")) < 0, file);
    }

    [Fact]
    public async Task Only_the_runs_service_resolves_and_only_holders_of_the_scope_manage()
    {
        await using var fixture = await VaultFixture.StartAsync(SqlDialect.Sqlite);
        var resolve = new ResolveSecretsRequest { Tenant = "acme", SecretIds = { "key" } };
        await fixture.ServiceClient("gateway").ResolveAsync(resolve).FailsAsync(StatusCode.PermissionDenied);
        await (await fixture.UserAsync("acme", "*")).ResolveAsync(resolve).FailsAsync(StatusCode.PermissionDenied);

        var runner = await fixture.UserAsync("acme", "runs:create", "keys:manage");
        await runner.ListAsync(new ListSecretsRequest()).FailsAsync(StatusCode.PermissionDenied);
        await runner.PutAsync(new PutSecretRequest { SecretId = "key", Value = Text(Canary) }).FailsAsync(StatusCode.PermissionDenied);
        await fixture.ServiceClient("runs").ListAsync(new ListSecretsRequest()).FailsAsync(StatusCode.PermissionDenied);
    }

    [Theory]
    [InlineData("", "long enough")]
    [InlineData("-key", "long enough")]
    [InlineData("a/b", "long enough")]
    [InlineData("key\n", "long enough")]
    [InlineData("key", "short")]
    [InlineData("key", "")]
    public async Task What_is_no_secret_is_refused(string id, string value)
    {
        await using var fixture = await VaultFixture.StartAsync(SqlDialect.Sqlite);
        var user = await fixture.UserAsync("acme", "secrets:manage");
        await user.PutAsync(new PutSecretRequest { SecretId = id, Value = Text(value) }).FailsAsync(StatusCode.InvalidArgument);
        Assert.Empty((await user.ListAsync(new ListSecretsRequest())).Secrets);
    }

    [Fact]
    public async Task The_canary_of_the_configuration_belongs_to_every_configured_tenant()
    {
        await using var host = await IdentityHost.StartAsync(settings: $"--{SecretSeeding.Setting}={Canary}");
        var fixture = new VaultFixture(host, null);
        Assert.Equal([SecretSeeding.SecretId, SecretSeeding.MemorySecretId], (await fixture.ServiceClient("gateway").GetStatusAsync(new GetVaultStatusRequest())).Seeded);
        Assert.Equal(Canary, await fixture.ResolveAsync("default", isTest: false, SecretSeeding.SecretId));
        Assert.Null(await fixture.ResolveAsync("default", isTest: true, SecretSeeding.SecretId));
    }

    private static ByteString Text(string value) => ByteString.CopyFromUtf8(value);

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}

/// <summary>Identity on one of the databases, and clients of its vault.</summary>
internal sealed class VaultFixture(IdentityHost host, PostgreSqlServer? server) : IAsyncDisposable
{
    private readonly TempFolder _folder = new();

    public IdentityHost Host { get; private set; } = host;

    public Database Database => Host.Services.GetRequiredKeyedService<Database>("identity");

    public static async Task<VaultFixture> StartAsync(SqlDialect dialect, string? key = null)
    {
        var server = dialect == SqlDialect.PostgreSql ? await PostgreSqlServer.StartAsync() : null;
        var fixture = new VaultFixture(null!, server);
        fixture.Host = await IdentityHost.StartAsync(fixture._folder, settings: fixture.Settings(key));
        return fixture;
    }

    public async Task RestartAsync(string key)
    {
        await Host.DisposeAsync();
        Host = await IdentityHost.StartAsync(_folder, settings: Settings(key));
    }

    public async Task<VaultClient> UserAsync(string tenant, string scope, string? another = null, bool isTest = false)
    {
        var (key, _) = await Host.CreateKeyAsync(tenant, another is null ? [scope] : [scope, another], isTest);
        return Client((await Host.VerifyAsync(key)).Tokens["identity"]);
    }

    public VaultClient ServiceClient(string service) => Client(Host.Services.GetRequiredService<TokenIssuer>().ForService(service).ByAudience["identity"]);

    public async Task<string?> ResolveAsync(string tenant, bool isTest, string secretId)
    {
        var reply = await ServiceClient("runs").ResolveAsync(new ResolveSecretsRequest { Tenant = tenant, Test = isTest, SecretIds = { secretId } });
        return reply.Secrets.SingleOrDefault()?.Value.ToStringUtf8();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder.Dispose();
        if (server is not null)
            await server.DisposeAsync();
    }

    private VaultClient Client(string token) => new(GrpcChannel.ForAddress(Host.Address).Intercept(metadata =>
    {
        metadata.Add("authorization", "Bearer " + token);
        return metadata;
    }));

    private string[] Settings(string? key) =>
    [
        .. server is null ? Array.Empty<string>() : [$"--OPENWOP_POSTGRES={server.ConnectionString}"],
        .. key is null ? Array.Empty<string>() : [$"--OPENWOP_SECRETS_KEY={key}"],
    ];
}
