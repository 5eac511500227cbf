using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Control;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>Identity's messages as documents of the authoring plane.</summary>
internal static class IdentityJson
{
    public static JsonObject Organization(Organization organization) => new JsonObject { ["id"] = organization.Id, ["name"] = organization.Name }
        .With("createdAt", ControlJson.Time(organization.CreatedAt));

    public static JsonObject Member(Member member) => new JsonObject { ["id"] = member.MemberId, ["name"] = member.Name, ["role"] = member.Role }
        .With("createdAt", ControlJson.Time(member.CreatedAt));

    public static JsonObject Invitation(Invitation invitation) => new JsonObject { ["id"] = invitation.InvitationId, ["role"] = invitation.Role }
        .With("name", invitation.Name.Length == 0 ? null : invitation.Name)
        .With("createdAt", ControlJson.Time(invitation.CreatedAt))
        .With("expiresAt", ControlJson.Time(invitation.ExpiresAt));

    public static JsonObject Key(ApiKey key) => new JsonObject
    {
        ["id"] = key.KeyId,
        ["name"] = key.Name,
        ["principal"] = key.Principal,
        ["scopes"] = Texts(key.Scopes),
        ["mode"] = Mode(key.IsTest),
        ["status"] = key.Status switch
        {
            KeyStatus.Active => "active",
            KeyStatus.Expired => "expired",
            _ => "revoked",
        },
    }
        .With("createdAt", ControlJson.Time(key.CreatedAt))
        .With("expiresAt", ControlJson.Time(key.ExpiresAt))
        .With("revokedAt", ControlJson.Time(key.RevokedAt))
        .With("lastUsedAt", ControlJson.Time(key.LastUsedAt));

    public static string Mode(bool isTest) => isTest ? "test" : "live";

    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
