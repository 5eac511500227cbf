using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Security;

/// <summary>
/// What an API key may do. A flat set: no scope implies another (spec/http-core.md 5.2). The only place that spells them.
/// </summary>
public static class Scopes
{
    public const string ManifestRead = "manifest:read";
    public const string RunsCreate = "runs:create";
    public const string RunsRead = "runs:read";
    public const string RunsCancel = "runs:cancel";
    public const string ArtifactsRead = "artifacts:read";
    public const string WebhooksManage = "webhooks:manage";
    public const string ApprovalsRespond = "approvals:respond";

    /// <summary>Storing workflow definitions; an extension of this server, as the protocol leaves that to the host.</summary>
    public const string WorkflowsWrite = "workflows:write";

    /// <summary>Storing, listing and removing secrets, whose values nobody reads back; an extension of this server.</summary>
    public const string SecretsManage = "secrets:manage";

    /// <summary>Making, listing, revoking and rotating the API keys of the organization; an extension of this server.</summary>
    public const string KeysManage = "keys:manage";

    /// <summary>Inviting, changing and removing the members of the organization; an extension of this server.</summary>
    public const string MembersManage = "members:manage";

    /// <summary>Making, changing and deleting schedules; an extension of this server.</summary>
    public const string SchedulesManage = "schedules:manage";

    /// <summary>Asking the scheduler for what is due; an extension of this server.</summary>
    public const string AdminTick = "admin:tick";

    /// <summary>Reading the audit log; meaningful only with that profile.</summary>
    public const string AuditRead = "audit:read";

    /// <summary>Publishing packs; these three are meaningful only with a registry.</summary>
    public const string PacksPublish = "packs:publish";
    public const string PacksYank = "packs:yank";
    public const string PacksYankRevert = "packs:yank-revert";

    /// <summary>Every scope a key can have.</summary>
    public static readonly FrozenSet<string> All = FrozenSet.Create(
        StringComparer.Ordinal,
        ManifestRead, RunsCreate, RunsRead, RunsCancel, ArtifactsRead, WebhooksManage, ApprovalsRespond,
        WorkflowsWrite, SchedulesManage, SecretsManage, KeysManage, MembersManage, AdminTick, AuditRead, PacksPublish, PacksYank, PacksYankRevert);
}
