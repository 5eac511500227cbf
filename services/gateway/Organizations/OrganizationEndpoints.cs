using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Sessions;
using OpenWop.Micro.ServiceDefaults.Clients;
using Identities = OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>Organizations on the gateway.</summary>
internal static class OrganizationEndpoints
{
    public const string Service = "identity";

    public static void AddOrganizations(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Identities.Organizations.OrganizationsClient>(Service);
        builder.Services.AddSingleton<StrangerLimit>();
        builder.Services.AddSingleton<AdmissionCalls>();
        builder.Services.AddSingleton<MemberCalls>();
        builder.Services.AddSingleton<KeyCalls>();
        builder.Services.AddSingleton<SessionCalls>();
    }

    public static void MapOrganizations(this WebApplication app)
    {
        var admissions = app.Services.GetRequiredService<AdmissionCalls>();
        app.MapControl(OrganizationOperations.Bootstrap, admissions.BootstrapAsync);
        app.MapControl(OrganizationOperations.SignUp, admissions.SignUpAsync);
        app.MapControl(OrganizationOperations.AcceptInvitation, admissions.AcceptAsync);

        var members = app.Services.GetRequiredService<MemberCalls>();
        app.MapControl(OrganizationOperations.GetMe, members.MeAsync);
        app.MapControl(OrganizationOperations.ListRoles, MemberCalls.RolesAsync);
        app.MapControl(OrganizationOperations.ListOrganizations, members.OrganizationsAsync);
        app.MapControl(OrganizationOperations.GetOrganization, members.OrganizationAsync);
        app.MapControl(OrganizationOperations.RenameOrganization, members.RenameAsync);
        app.MapControl(OrganizationOperations.ListMembers, members.ListAsync);
        app.MapControl(OrganizationOperations.ChangeMember, members.ChangeAsync);
        app.MapControl(OrganizationOperations.RemoveMember, members.RemoveAsync);
        app.MapControl(OrganizationOperations.Invite, members.InviteAsync);
        app.MapControl(OrganizationOperations.ListInvitations, members.InvitationsAsync);
        app.MapControl(OrganizationOperations.WithdrawInvitation, members.WithdrawAsync);
        app.MapControl(OrganizationOperations.ListAudit, members.AuditAsync);

        var keys = app.Services.GetRequiredService<KeyCalls>();
        app.MapControl(KeyOperations.CreateKey, keys.CreateAsync);
        app.MapControl(KeyOperations.ListKeys, keys.ListAsync);
        app.MapControl(KeyOperations.RevokeKey, keys.RevokeAsync);
        app.MapControl(KeyOperations.RotateKey, keys.RotateAsync);

        var sessions = app.Services.GetRequiredService<SessionCalls>();
        app.MapControl(KeyOperations.OpenSession, sessions.OpenAsync);
        app.MapControl(KeyOperations.GetSession, sessions.GetAsync);
        app.MapControl(KeyOperations.CloseSession, sessions.CloseAsync);
    }
}
