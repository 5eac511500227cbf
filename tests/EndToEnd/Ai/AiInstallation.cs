using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.StandIns;

namespace OpenWop.Micro.EndToEnd.Tests.Ai;

/// <summary>An embedded installation with both kinds of providers.</summary>
public sealed class AiInstallation() : InstallationFixture(Form.Embedded)
{
    private StandInServer _standIns = null!;

    internal ModelServer Models => _standIns.Models;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _standIns.DisposeAsync();
    }

    protected override async Task<(string Name, string Value)[]> SettingsAsync()
    {
        _standIns = await StandInServer.StartAsync();
        return [.. _standIns.Settings, ("OPENWOP_LOG_LEVEL", "Debug")];
    }
}
