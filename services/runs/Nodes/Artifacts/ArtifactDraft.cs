using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Something that a node makes and that is read by itself (<c>GET /v1/runs/{runId}/artifacts/{artifactId}</c>).</summary>
/// <param name="ArtifactId">Unique in the run; the same id again is a new version.</param>
/// <param name="ArtifactType">What it is, such as <c>report</c>; 1 to 128 characters.</param>
/// <param name="Data">Any JSON, at most <see cref="MaxDataBytes"/> bytes.</param>
public sealed record ArtifactDraft(string ArtifactId, string ArtifactType, JsonElement Data)
{
    /// <summary>Largest data of an artifact in bytes of JSON.</summary>
    public const int MaxDataBytes = 1024 * 1024;

    /// <summary>Artifacts of one attempt.</summary>
    public const int MaxPerAttempt = 16;

    /// <summary>Longest id and type, in characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Longest title, in characters.</summary>
    public const int MaxTitleLength = 256;

    /// <summary>Longest summary, in characters.</summary>
    public const int MaxSummaryLength = 2048;

    public string? Title { get; init; }

    /// <summary>Shown with the event; free of secrets.</summary>
    public string? Summary { get; init; }

    /// <summary>True masks the data wherever it is read.</summary>
    public bool IsSensitive { get; init; }

    /// <summary><c>sha256:</c> and the hash of the data in hex.</summary>
    internal string Digest() => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(JsonMarshal.GetRawUtf8Value(Data)))}";
}
