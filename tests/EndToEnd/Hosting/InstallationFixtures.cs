namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>One installation for all tests of a class; each test uses workflows and runs of its own.</summary>
public abstract class InstallationFixture(Form form) : IAsyncLifetime
{
    public Installation Installation { get; private set; } = null!;

    public async Task InitializeAsync() => Installation = await Installation.StartAsync(form);

    public async Task DisposeAsync() => await Installation.DisposeAsync();
}

public sealed class EmbeddedInstallation() : InstallationFixture(Form.Embedded);

public sealed class SeparateInstallation() : InstallationFixture(Form.Separate);
