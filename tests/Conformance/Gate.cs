namespace OpenWop.Micro.Conformance;

/// <summary>What the host has to advertise, or the operator to provide, for a scenario to apply.</summary>
/// <param name="Name">For the table.</param>
internal sealed record Gate(string Name, Func<Suite, bool> IsOpen)
{
    /// <summary>Every host.</summary>
    public static readonly Gate Base = new("base", static _ => true);

    public static readonly Gate LowScopeKey = new("--low-scope-key", static suite => suite.LowScope is not null);

    public static readonly Gate OtherTenantKey = new("--other-tenant-key", static suite => suite.OtherTenant is not null);

    public static readonly Gate StandIns = new("--stand-ins", static suite => suite.StandIns is not null);

    /// <summary>The host says in its OpenAPI document that clients may store workflows, which the protocol leaves to hosts.</summary>
    public static readonly Gate StoresWorkflows = new("putWorkflow", static suite => suite.Contract.Describes("putWorkflow"));

    /// <summary>Workflows that the host has seeded and can execute.</summary>
    public static Gate Fixtures(params string[] ids) => new(string.Join(", ", ids), suite => ids.All(suite.Advertised.HasFixture));

    /// <summary>A family of the discovery document.</summary>
    public static Gate Family(string path) => new(path, suite => suite.Advertised.Has(path.Split('.')));

    public Gate And(Gate other) => this == Base ? other : new($"{Name}, {other.Name}", suite => IsOpen(suite) && other.IsOpen(suite));
}
