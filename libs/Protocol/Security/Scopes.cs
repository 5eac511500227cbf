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
        WorkflowsWrite, AuditRead, PacksPublish, PacksYank, PacksYankRevert);
}
