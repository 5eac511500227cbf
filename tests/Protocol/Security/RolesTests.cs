using OpenWop.Micro.Protocol.Security;

namespace OpenWop.Micro.Protocol.Tests.Security;

public sealed class RolesTests
{
    [Fact]
    public void A_higher_role_holds_what_the_lower_ones_hold_and_more()
    {
        var roles = Enum.GetValues<Role>().Where(role => role != Role.Owner).Order().ToList();

        foreach (var (lower, higher) in roles.Zip(roles.Skip(1)))
            Assert.True(Roles.ScopesOf(lower).IsProperSubsetOf(Roles.ScopesOf(higher)));
        Assert.Equal([Roles.Everything], Roles.ScopesOf(Role.Owner));
    }

    [Fact]
    public void Power_over_people_and_keys_belongs_to_owners_alone()
    {
        string[] power = [Scopes.KeysManage, Scopes.MembersManage, Scopes.AuditRead, Roles.Everything];

        Assert.Empty(Roles.ScopesOf(Role.Editor).Intersect(power));
    }

    [Fact]
    public void Every_scope_of_a_role_is_a_scope() => Assert.True(Roles.ScopesOf(Role.Editor).IsSubsetOf(Scopes.All));

    [Theory]
    [InlineData(Role.Owner, "*", "*")]
    [InlineData(Role.Owner, "runs:read", "runs:read")]
    [InlineData(Role.Viewer, "*", "artifacts:read manifest:read runs:read")]
    [InlineData(Role.Viewer, "runs:create runs:read", "runs:read")]
    [InlineData(Role.Editor, "something:new", "")]
    public void A_key_in_the_hands_of_a_member_is_worth_what_both_hold(Role role, string scopes, string expected) =>
        Assert.Equal(expected, string.Join(' ', Roles.Restrict(scopes.Split(' '), role)));

    [Fact]
    public void Names_are_found_again_and_others_are_not()
    {
        foreach (var role in Enum.GetValues<Role>())
            Assert.Equal(role, Roles.Find(Roles.NameOf(role)));
        Assert.Null(Roles.Find("Owner"));
        Assert.Null(Roles.Find("3"));
    }
}
