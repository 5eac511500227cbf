using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Log;

/// <summary>Artifacts in events, states and snapshots, and as the documents that readers get.</summary>
internal static class ArtifactPayloads
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Types of artifacts are the workflow's own: none is registered with a schema here.</summary>
    public static void Write(Utf8JsonWriter writer, ArtifactCreated created)
    {
        var artifact = created.Artifact;
        writer.WriteString("artifactId", artifact.ArtifactId);
        writer.WriteString("artifactType", artifact.ArtifactType);
        writer.WriteString("nodeId", created.Node);
        writer.WriteString("version", created.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        EventPayloads.WriteOptional(writer, "title", artifact.Title);
        EventPayloads.WriteOptional(writer, "summary", artifact.Summary);
        if (!artifact.IsSensitive)
            writer.WriteString("contentDigest", created.Digest);

        writer.WriteBoolean("registered", false);
    }

    public static void WriteFacts(Utf8JsonWriter writer, ArtifactCreated created)
    {
        writer.WritePropertyName("data");
        created.Artifact.Data.WriteTo(writer);
        if (created.Artifact.IsSensitive)
            writer.WriteString("digest", created.Digest);
    }

    public static ArtifactCreated Read(JsonElement document, JsonElement payload, JsonElement facts)
    {
        var sensitiveDigest = facts.StringMember("digest");
        var artifact = new ArtifactDraft(EventPayloads.Text(payload, "artifactId"), EventPayloads.Text(payload, "artifactType"), EventPayloads.Required(facts, "data"))
        {
            Title = payload.StringMember("title"),
            Summary = payload.StringMember("summary"),
            IsSensitive = sensitiveDigest is not null,
        };
        var version = int.Parse(EventPayloads.Text(payload, "version"), System.Globalization.CultureInfo.InvariantCulture);
        return new ArtifactCreated(EventPayloads.Text(document, "nodeId"), artifact, version, sensitiveDigest ?? EventPayloads.Text(payload, "contentDigest"));
    }

    public static void WriteStates(Utf8JsonWriter writer, RunState state)
    {
        if (state.Artifacts.IsEmpty)
            return;

        writer.WriteStartObject("artifacts");
        foreach (var (id, artifact) in state.Artifacts)
        {
            writer.WriteStartObject(id);
            writer.WriteString("type", artifact.ArtifactType);
            writer.WriteString("node", artifact.Node);
            writer.WriteNumber("iteration", artifact.Iteration);
            writer.WriteNumber("version", artifact.Version);
            writer.WriteString("digest", artifact.Digest);
            writer.WriteNumber("sequence", artifact.Sequence);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public static ImmutableSortedDictionary<string, ArtifactState> ReadStates(JsonElement root) => root.Member("artifacts") is { } artifacts
        ? Artifacts.None.AddRange(artifacts.EnumerateObject().Select(artifact => KeyValuePair.Create(artifact.Name, new ArtifactState(
            EventPayloads.Text(artifact.Value, "type"),
            EventPayloads.Text(artifact.Value, "node"),
            artifact.Value.GetProperty("iteration").GetInt32(),
            artifact.Value.GetProperty("version").GetInt32(),
            EventPayloads.Text(artifact.Value, "digest"),
            artifact.Value.GetProperty("sequence").GetInt64()))))
        : Artifacts.None;

    /// <summary>What there is to read; beyond the published schema, which is open.</summary>
    public static void WriteSnapshot(Utf8JsonWriter writer, RunState state)
    {
        if (state.Artifacts.IsEmpty)
            return;

        writer.WriteStartArray("artifacts");
        foreach (var (id, artifact) in state.Artifacts)
        {
            writer.WriteStartObject();
            writer.WriteString("artifactId", id);
            writer.WriteString("artifactType", artifact.ArtifactType);
            writer.WriteString("nodeId", artifact.Node);
            writer.WriteNumber("version", artifact.Version);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>The artifact as <c>GET /v1/runs/{runId}/artifacts/{artifactId}</c> answers it; sensitive data is masked.</summary>
    public static ReadOnlyMemory<byte> Document(string runId, RunEvent @event, ArtifactCreated created)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("runId", runId);
        Write(writer, created);
        writer.WriteString("createdAt", Timestamps.Format(@event.Timestamp));
        writer.WritePropertyName("data");
        (created.Artifact.IsSensitive ? Masking.MaskValue : created.Artifact.Data).WriteTo(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
