using System.CommandLine;
using OpenWop.Micro.Cli.Output;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop members …</c></summary>
internal static class MemberCommands
{
    private static readonly Argument<string> Id = new("member") { Description = "Id of the member" };

    public static Command Create() => new("members", "People in the organization.") { List(), Invite(), Role(), Remove() };

    private static Command List()
    {
        var command = new Command("list", "All members.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var members = await client.Organization.MembersAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(members);
            else
                Terminal.Table(["id", "name", "role", "since"], members.Select(member => new[] { member.Id, member.Name, member.Role, Terminal.Time(member.CreatedAt) }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Invite()
    {
        var role = RoleArgument();
        var name = new Option<string?>("--name") { Description = "Of whom you invite" };
        var command = new Command("invite", "Make an invitation. Shows its token, once; it is used with 'openwop login --invitation'.") { role, name };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var invitation = await client.Organization.InviteAsync(result.GetValue(role)!, result.GetValue(name), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(invitation);
            else
                Terminal.Facts(("invitation", invitation.Id), ("token", invitation.Token), ("role", invitation.Role), ("until", Terminal.Time(invitation.ExpiresAt)));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Role()
    {
        var role = RoleArgument();
        var command = new Command("role", "Give a member another role.") { Id, role };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var member = await client.Organization.ChangeMemberAsync(result.GetValue(Id)!, result.GetValue(role)!, cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(member);
            else
                Terminal.Facts(("member", member.Id), ("name", member.Name), ("role", member.Role));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Remove()
    {
        var command = new Command("remove", "Remove a member, with all its keys and sessions.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.Organization.RemoveMemberAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Argument<string> RoleArgument()
    {
        var role = new Argument<string>("role") { Description = "owner, editor, runner or viewer" };
        role.AcceptOnlyFromAmong("owner", "editor", "runner", "viewer");
        return role;
    }
}
