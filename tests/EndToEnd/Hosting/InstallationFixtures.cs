using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>One installation for all tests of a class; each test uses workflows and runs of its own.</summary>
public abstract class InstallationFixture(Form form) : IAsyncLifetime
{
    public Installation Installation { get; private set; } = null!;

    public virtual async Task InitializeAsync() => Installation = await Installation.StartAsync(form, await SettingsAsync());

    public virtual async Task DisposeAsync() => await Installation.DisposeAsync();

    /// <summary>More environment for every process.</summary>
    protected virtual Task<(string Name, string Value)[]> SettingsAsync() => Task.FromResult<(string, string)[]>([]);
}

public sealed class EmbeddedInstallation() : InstallationFixture(Form.Embedded);

public sealed class SeparateInstallation() : InstallationFixture(Form.Separate);

/// <summary>Each service in its own process, on what production runs on: one PostgreSQL with a schema per service, and Redis.</summary>
public class ServerInstallation : InstallationFixture
{
    private PostgreSqlServer? _postgres;
    private RedisServer? _redis;

    public ServerInstallation()
        : base(Form.Separate)
    {
    }

    protected ServerInstallation(Form form)
        : base(form)
    {
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_redis is not null)
            await _redis.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }

    protected override async Task<(string Name, string Value)[]> SettingsAsync()
    {
        _postgres = await PostgreSqlServer.StartAsync();
        _redis = await RedisServer.StartAsync();
        return [("OPENWOP_POSTGRES", _postgres.ConnectionString), ("OPENWOP_REDIS", _redis.ConnectionString)];
    }
}
