using System.Text;
using System.Text.Json;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests;

public sealed class KeyImportTests : IDisposable
{
    private const string First = "hk_first-key-of-the-file";
    private const string Second = "hk_test_second-key-of-the-file";

    private readonly TempFolder _folder = new();

    private string KeysFile => _folder.File("keys.json");

    [Fact]
    public async Task A_file_that_is_imported_twice_makes_each_key_once()
    {
        Write(new { key = First, tenant = "acme", scopes = new[] { "runs:read" }, principal = "robot" }, new { key = Second, tenant = "acme", scopes = new[] { "*" } });
        for (var start = 0; start < 2; start++)
        {
            await using var host = await StartAsync();
            var first = await host.VerifyAsync(First);
            Assert.Equal(("acme", "robot", false), (first.Tenant, first.Principal, first.IsTest));
            Assert.True((await host.VerifyAsync(Second)).IsTest);
            Assert.Equal(2, (await host.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme" })).Keys.Count);
        }
    }

    [Fact]
    public async Task The_file_changes_scopes_but_a_key_that_left_it_stays_and_a_revoked_one_stays_revoked()
    {
        Write(new { key = First, tenant = "acme", scopes = new[] { "runs:read" } }, new { key = Second, tenant = "acme", scopes = new[] { "*" } });
        string principal;
        await using (var host = await StartAsync())
        {
            principal = (await host.VerifyAsync(First)).Principal;
            await host.Service.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "acme", KeyId = (await host.VerifyAsync(Second)).KeyId });
        }

        Write(new { key = First, tenant = "acme", scopes = new[] { "runs:read", "runs:create" } }, new { key = Second, tenant = "acme", scopes = new[] { "*" } });
        await using (var host = await StartAsync())
        {
            var first = await host.VerifyAsync(First);
            Assert.Equal(["runs:create", "runs:read"], first.Scopes);
            Assert.Equal(principal, first.Principal);
            Assert.Equal(KeyStatus.Revoked, (await host.VerifyAsync(Second)).Status);
        }

        Write();
        await using (var host = await StartAsync())
            Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(First)).Status);
    }

    [Fact]
    public async Task Another_bootstrap_key_replaces_the_former_one()
    {
        Write();
        await using (var host = await StartAsync())
            Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(IdentityHost.BootstrapKey)).Status);

        await using (var host = await StartAsync("--OPENWOP_API_KEY=hk_test_another-bootstrap-key"))
        {
            Assert.Equal(KeyStatus.Revoked, (await host.VerifyAsync(IdentityHost.BootstrapKey)).Status);
            Assert.True((await host.VerifyAsync("hk_test_another-bootstrap-key")).IsTest);
        }

        await using (var host = await StartAsync("--OPENWOP_API_KEY="))
            Assert.Equal(KeyStatus.Active, (await host.VerifyAsync("hk_test_another-bootstrap-key")).Status);
    }

    [Fact]
    public async Task No_key_is_stored_in_clear()
    {
        Write(new { key = First, tenant = "acme", scopes = new[] { "*" } });
        await using (var host = await StartAsync())
            await host.VerifyAsync(First);

        foreach (var file in Directory.GetFiles(_folder.Path, "identity.db*"))
        {
            var content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain(First, content, StringComparison.Ordinal);
            Assert.DoesNotContain(IdentityHost.BootstrapKey, content, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "is not JSON (line 1, byte 1)")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",]", "is not JSON")]
    [InlineData("{\"key\":\"hk_secret-secret-secret\"}", "must hold a JSON array")]
    [InlineData("[\"hk_secret-secret-secret\"]", "entry 1: must be an object")]
    [InlineData("[{\"tenant\":\"acme\",\"scopes\":[\"*\"]}]", "entry 1: 'key' must have")]
    [InlineData("[{\"key\":\"hk_short\",\"tenant\":\"acme\",\"scopes\":[\"*\"]}]", "entry 1: 'key' must have")]
    [InlineData("[{\"key\":\"hk_secret secret secret\",\"tenant\":\"acme\",\"scopes\":[\"*\"]}]", "entry 1: 'key' must have")]
    [InlineData("[{\"key\":17,\"tenant\":\"acme\",\"scopes\":[\"*\"]}]", "entry 1: 'key' must be a string")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"scopes\":[\"*\"]}]", "entry 1: 'tenant' must be")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"a/b\",\"scopes\":[\"*\"]}]", "entry 1: 'tenant' must be")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"acme\"}]", "entry 1: 'scopes' is missing")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"acme\",\"scopes\":\"*\"}]", "entry 1: 'scopes' must be an array")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"acme\",\"scopes\":[]}]", "entry 1: 'scopes' must hold")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"acme\",\"scopes\":[\"RUNS\"]}]", "entry 1: 'scopes' must hold")]
    [InlineData("[{\"hk_secret-secret-secret\":1,\"tenant\":\"acme\",\"scopes\":[\"*\"]}]", "entry 1: has an unknown member")]
    [InlineData("[{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"a\",\"scopes\":[\"*\"]},{\"key\":\"hk_secret-secret-secret\",\"tenant\":\"b\",\"scopes\":[\"*\"]}]", "entry 2 repeats the key of entry 1")]
    public async Task A_malformed_file_stops_the_host_and_shows_no_key(string content, string problem)
    {
        await File.WriteAllTextAsync(KeysFile, content);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync());

        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(KeysFile, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-secret", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_in_the_last_entry_imports_nothing()
    {
        Write(new { key = First, tenant = "acme", scopes = new[] { "*" } });
        await using (var host = await StartAsync())
            Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(First)).Status);

        Write(new { key = Second, tenant = "acme", scopes = new[] { "*" } }, new { key = First, tenant = "thief", scopes = new[] { "*" } });
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync());
        Assert.Contains("entry 2", refusal.Message, StringComparison.Ordinal);

        File.Delete(KeysFile);
        await using (var host = await IdentityHost.StartAsync(_folder))
            Assert.Equal(KeyStatus.Unknown, (await host.VerifyAsync(Second)).Status);
    }

    [Fact]
    public async Task A_missing_file_stops_the_host()
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync());
        Assert.Contains("cannot be read", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private Task<IdentityHost> StartAsync(params string[] settings) =>
        IdentityHost.StartAsync(_folder, settings: [$"--OPENWOP_KEYS_FILE={KeysFile}", .. settings]);

    private void Write(params object[] entries) => File.WriteAllText(KeysFile, JsonSerializer.Serialize(entries));
}
