using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>The body of <c>POST /v1/runs</c> (spec/http-core.md 3.2), checked as far as that is possible without the workflow.</summary>
public sealed record CreateRunBody
{
    /// <summary>1 to 128 characters.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>An object; empty when absent.</summary>
    public JsonElement Inputs { get; init; } = RunRequestOptions.EmptyObject;

    /// <summary>Read and without effect: a run belongs to the tenant of its credential, whatever the body says (spec/http-core.md 13, 14).</summary>
    public string? TenantId { get; init; }

    public string? ScopeId { get; init; }

    /// <summary>Absolute http or https URL.</summary>
    public string? CallbackUrl { get; init; }

    public required RunRequestOptions Options { get; init; }

    /// <summary>Parses a body, or says what is wrong with it. Messages and details never repeat values that may be secret.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> utf8, RunOptionPolicy policy, [NotNullWhen(true)] out CreateRunBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        ArgumentNullException.ThrowIfNull(policy);
        body = null;
        if (!RequestReader.TryOpen(utf8, isOptional: false, out var reader, out error))
            return false;

        reader.RequireOnly(
            "workflowId", "inputs", "tenantId", "scopeId", "callbackUrl", "configurable", "tags", "metadata",
            "residency", "mode", "evalSuiteRef", "agentId");
        RefuseLaterMembers(reader);
        body = new CreateRunBody
        {
            WorkflowId = reader.RequiredText("workflowId", RunOptionLimits.MaxIdLength),
            Inputs = reader.Object("inputs") ?? RunRequestOptions.EmptyObject,
            TenantId = reader.Text("tenantId", RunOptionLimits.MaxScopeLength),
            ScopeId = reader.Text("scopeId", RunOptionLimits.MaxScopeLength),
            CallbackUrl = ReadCallbackUrl(reader),
            Options = RunRequestOptions.Read(reader, policy),
        };
        error = reader.Error;
        if (error is null)
            return true;

        body = null;
        return false;
    }

    /// <summary>Members of families this server does not have; an ill-formed one is an error of its own before.</summary>
    private static void RefuseLaterMembers(RequestReader reader)
    {
        if (reader.Has("mode") && reader.Choice("mode", "eval") is null)
            return;

        foreach (var member in (ReadOnlySpan<string>)["mode", "evalSuiteRef", "agentId"])
        {
            if (reader.Has(member) && reader.Text(member, RunOptionLimits.MaxScopeLength) is not null)
            {
                reader.Fail(new ProtocolError(
                    ErrorCodes.CapabilityNotProvided,
                    "This server does not evaluate agents.",
                    new JsonObject { ["requiredCapability"] = "agents.evalSuite", ["field"] = member }));
            }
        }

        if (reader.Object("residency") is not null)
        {
            reader.Fail(new ProtocolError(
                ErrorCodes.ResidencyUnavailable,
                "This server does not offer a choice of regions.",
                new JsonObject { ["requiredCapability"] = "dataResidency", ["field"] = "residency" }));
        }
    }

    private static string? ReadCallbackUrl(RequestReader reader)
    {
        if (reader.Text("callbackUrl", RunOptionLimits.MaxCallbackUrlLength) is not { } text)
            return null;

        if (Uri.TryCreate(text, UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp)
            && url.UserInfo.Length == 0)
        {
            return text;
        }

        reader.Fail("callbackUrl", "'callbackUrl' must be an absolute http or https URL without credentials.");
        return null;
    }
}
