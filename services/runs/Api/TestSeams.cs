using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Runs.Api;

/// <summary>Whether tests of the protocol may reach into runs (<c>OPENWOP_TEST_SEAM_ENABLED</c>, off).</summary>
internal sealed class TestSeams(IConfiguration configuration)
{
    public bool AreOn { get; } = configuration.Switch("OPENWOP_TEST_SEAM_ENABLED");
}
