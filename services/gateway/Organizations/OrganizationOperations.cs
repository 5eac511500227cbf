using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>The operations of organizations and their members; rows of the authoring plane's table.</summary>
internal static class OrganizationOperations
{
    public static readonly Operation Bootstrap = new("bootstrap", HttpMethods.Post, "/api/bootstrap")
    {
        Summary = "Founds an organization with the token that the operator has set. The answer shows the owner's key, this once.",
        Body = "BootstrapRequest",
        Successes = [new(201, "The organization, its owner, and a key.", "Admission")],
        Errors = [ErrorCodes.Unauthenticated, ErrorCodes.NotFound, ErrorCodes.RateLimited],
    };

    public static readonly Operation SignUp = new("signUp", HttpMethods.Post, "/api/sign-up")
    {
        Summary = "Founds an organization, where the operator lets anybody. The answer shows the owner's key, this once.",
        Body = "SignUpRequest",
        Successes = [new(201, "The organization, its owner, and a key.", "Admission")],
        Errors = [ErrorCodes.Forbidden, ErrorCodes.NotFound, ErrorCodes.RateLimited],
    };

    public static readonly Operation AcceptInvitation = new("acceptInvitation", HttpMethods.Post, "/api/invitations/accept")
    {
        Summary = "Turns an invitation into a member. The answer shows the member's key, this once.",
        Body = "AcceptInvitationRequest",
        Successes = [new(201, "The member and a key.", "Admission")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.PreconditionFailed, ErrorCodes.RateLimited],
    };

    public static readonly Operation GetMe = new("getMe", HttpMethods.Get, "/api/me")
    {
        IsForEveryCaller = true,
        Summary = "Who calls.",
        Successes = [new(200, "The caller.", "Me")],
    };

    public static readonly Operation ListRoles = new("listRoles", HttpMethods.Get, "/api/roles")
    {
        IsForEveryCaller = true,
        Summary = "The roles and their scopes.",
        Successes = [new(200, "All of them.", "RolePage")],
    };

    public static readonly Operation ListOrganizations = new("listOrganizations", HttpMethods.Get, "/api/organizations")
    {
        IsForEveryCaller = true,
        Summary = "The organizations of the caller: its own.",
        Successes = [new(200, "A page of one.", "OrganizationPage")],
    };

    public static readonly Operation GetOrganization = new("getOrganization", HttpMethods.Get, "/api/organizations/{id}")
    {
        IsForEveryCaller = true,
        Summary = "The organization of the caller, by its id or as current.",
        Successes = [new(200, "The organization.", "Organization")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation RenameOrganization = new("renameOrganization", HttpMethods.Patch, "/api/organizations/{id}")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "Names the organization of the caller.",
        Body = "RenameRequest",
        Successes = [new(200, "The organization.", "Organization")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ListMembers = new("listMembers", HttpMethods.Get, "/api/members")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "The members of the organization.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "MemberPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation ChangeMember = new("changeMember", HttpMethods.Patch, "/api/members/{id}")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "Gives a member another role or name. Nobody gives what they do not have.",
        Body = "ChangeMemberRequest",
        Successes = [new(200, "The member.", "Member")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.LastOwner],
    };

    public static readonly Operation RemoveMember = new("removeMember", HttpMethods.Delete, "/api/members/{id}")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "Removes a member and its keys.",
        Successes = [new(204, "The member is gone.")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.LastOwner],
    };

    public static readonly Operation Invite = new("invite", HttpMethods.Post, "/api/invitations")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "Invites somebody. The answer shows the token, this once.",
        Body = "InviteRequest",
        Successes = [new(201, "The invitation and its token.", "NewInvitation")],
        Errors = [ErrorCodes.PreconditionFailed],
    };

    public static readonly Operation ListInvitations = new("listInvitations", HttpMethods.Get, "/api/invitations")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "The invitations that nobody has accepted yet.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "InvitationPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation WithdrawInvitation = new("withdrawInvitation", HttpMethods.Delete, "/api/invitations/{id}")
    {
        Scopes = [ScopeNames.MembersManage],
        Summary = "Withdraws an invitation.",
        Successes = [new(204, "The invitation is gone.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation ListAudit = new("listAudit", HttpMethods.Get, "/api/audit")
    {
        Scopes = [ScopeNames.AuditRead],
        Summary = "The audit log of the organization, oldest first.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of it.", "AuditPage")],
        Errors = [ErrorCodes.ValidationError],
    };
}
