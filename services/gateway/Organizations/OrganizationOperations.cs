using OpenWop.Micro.Gateway.Routing;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>The operations of organizations, members, keys and sessions; rows of the authoring plane's table.</summary>
internal static class OrganizationOperations
{
    public static readonly Operation Bootstrap = Public("bootstrap", HttpMethods.Post, "/api/bootstrap");
    public static readonly Operation SignUp = Public("signUp", HttpMethods.Post, "/api/sign-up");
    public static readonly Operation AcceptInvitation = Public("acceptInvitation", HttpMethods.Post, "/api/invitations/accept");

    public static readonly Operation GetMe = ForEveryCaller("getMe", HttpMethods.Get, "/api/me");
    public static readonly Operation ListRoles = ForEveryCaller("listRoles", HttpMethods.Get, "/api/roles");
    public static readonly Operation ListOrganizations = ForEveryCaller("listOrganizations", HttpMethods.Get, "/api/organizations");
    public static readonly Operation GetOrganization = ForEveryCaller("getOrganization", HttpMethods.Get, "/api/organizations/{id}");
    public static readonly Operation RenameOrganization = Scoped("renameOrganization", HttpMethods.Patch, "/api/organizations/{id}", ScopeNames.MembersManage);

    public static readonly Operation ListMembers = Scoped("listMembers", HttpMethods.Get, "/api/members", ScopeNames.MembersManage);
    public static readonly Operation ChangeMember = Scoped("changeMember", HttpMethods.Patch, "/api/members/{id}", ScopeNames.MembersManage);
    public static readonly Operation RemoveMember = Scoped("removeMember", HttpMethods.Delete, "/api/members/{id}", ScopeNames.MembersManage);
    public static readonly Operation Invite = Scoped("invite", HttpMethods.Post, "/api/invitations", ScopeNames.MembersManage);
    public static readonly Operation ListInvitations = Scoped("listInvitations", HttpMethods.Get, "/api/invitations", ScopeNames.MembersManage);
    public static readonly Operation WithdrawInvitation = Scoped("withdrawInvitation", HttpMethods.Delete, "/api/invitations/{id}", ScopeNames.MembersManage);
    public static readonly Operation ListAudit = Scoped("listAudit", HttpMethods.Get, "/api/audit", ScopeNames.AuditRead);

    public static readonly Operation CreateKey = Scoped("createKey", HttpMethods.Post, "/api/keys", ScopeNames.KeysManage);
    public static readonly Operation ListKeys = Scoped("listKeys", HttpMethods.Get, "/api/keys", ScopeNames.KeysManage);
    public static readonly Operation RevokeKey = Scoped("revokeKey", HttpMethods.Delete, "/api/keys/{id}", ScopeNames.KeysManage);

    /// <summary>Every caller may rotate its own key; identity decides about others.</summary>
    public static readonly Operation RotateKey = ForEveryCaller("rotateKey", HttpMethods.Post, "/api/keys/{id}/rotate");

    public static readonly Operation OpenSession = ForEveryCaller("openSession", HttpMethods.Post, "/api/sessions");
    public static readonly Operation GetSession = ForEveryCaller("getSession", HttpMethods.Get, "/api/sessions/current");
    public static readonly Operation CloseSession = ForEveryCaller("closeSession", HttpMethods.Delete, "/api/sessions/current");

    private static Operation Public(string id, string method, string route) => new(id, method, route) { Successes = [] };

    private static Operation ForEveryCaller(string id, string method, string route) => new(id, method, route) { Successes = [], IsForEveryCaller = true };

    private static Operation Scoped(string id, string method, string route, string scope) => new(id, method, route) { Successes = [], Scopes = [scope] };
}
