using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Security;

/// <summary>What a member of an organization may do, from least to most.</summary>
public enum Role
{
    Viewer,
    Runner,
    Editor,
    Owner,
}

/// <summary>
/// Roles resolve to the same scopes that API keys have (spec/http-core.md 5.5). The only place that says which role holds which scope.
/// </summary>
public static class Roles
{
    /// <summary>Stands for all scopes, also for those that are invented later. No operation asks for it.</summary>
    public const string Everything = "*";

    /// <summary>
    /// The least role that holds a scope; the roles above hold it too. A scope that is not listed belongs to owners alone.
    /// </summary>
    private static readonly FrozenDictionary<string, Role> LeastRole = new Dictionary<string, Role>
    {
        [Scopes.ManifestRead] = Role.Viewer,
        [Scopes.RunsRead] = Role.Viewer,
        [Scopes.ArtifactsRead] = Role.Viewer,
        [Scopes.RunsCreate] = Role.Runner,
        [Scopes.RunsCancel] = Role.Runner,
        [Scopes.ApprovalsRespond] = Role.Runner,
        [Scopes.WorkflowsWrite] = Role.Editor,
        [Scopes.WebhooksManage] = Role.Editor,
        [Scopes.SecretsManage] = Role.Editor,
        [Scopes.SchedulesManage] = Role.Editor,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<Role, FrozenSet<string>> ScopesByRole = Enum.GetValues<Role>().ToFrozenDictionary(
        role => role,
        role => role == Role.Owner
            ? FrozenSet.Create(StringComparer.Ordinal, Everything)
            : LeastRole.Where(row => row.Value <= role).Select(row => row.Key).ToFrozenSet(StringComparer.Ordinal));

    private static readonly FrozenDictionary<string, Role> ByName =
        Enum.GetValues<Role>().ToFrozenDictionary(NameOf, StringComparer.Ordinal);

    /// <summary>The scopes of a role; an owner has <see cref="Everything"/>.</summary>
    public static FrozenSet<string> ScopesOf(Role role) => ScopesByRole[role];

    /// <summary>The role with this name on the wire, or null.</summary>
    public static Role? Find(string name) => ByName.TryGetValue(name, out var role) ? role : null;

    /// <summary>The name on the wire: <c>owner</c>, <c>editor</c>, <c>runner</c>, <c>viewer</c>.</summary>
    public static string NameOf(Role role) => role switch
    {
        Role.Viewer => "viewer",
        Role.Runner => "runner",
        Role.Editor => "editor",
        Role.Owner => "owner",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Unknown role."),
    };

    /// <summary>
    /// What a key is worth in the hands of a member: its own scopes as far as the role holds them, so that a member who is given a
    /// lesser role loses the rest everywhere.
    /// </summary>
    public static IReadOnlyList<string> Restrict(IReadOnlyList<string> scopes, Role role)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        var held = ScopesOf(role);
        return held.Contains(Everything) ? scopes
            : scopes.Contains(Everything) ? [.. held.Order(StringComparer.Ordinal)]
            : [.. scopes.Where(held.Contains)];
    }
}
