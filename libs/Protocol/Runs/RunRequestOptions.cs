using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Options of a run as a caller asks for them (spec/http-core.md 10), checked.</summary>
public sealed record RunRequestOptions
{
    internal static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    /// <summary>The <c>configurable</c> object, verbatim; empty when absent.</summary>
    public JsonElement Configurable { get; init; } = EmptyObject;

    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>The <c>metadata</c> object, verbatim; empty when absent.</summary>
    public JsonElement Metadata { get; init; } = EmptyObject;

    /// <summary>Node executions the run may start: the caller's wish, at most the server's ceiling.</summary>
    public int RecursionLimit { get; init; }

    /// <summary>Longest duration in milliseconds, at most the server's ceiling; null when not asked for or not honoured.</summary>
    public long? RunTimeoutMs { get; init; }

    /// <summary>The mock provider that answers all AI calls; test keys only.</summary>
    public MockProviderChoice? MockProvider { get; init; }

    public string? AiProvider { get; init; }

    /// <summary>Name of the secret that holds the provider's key; null when there are no secrets.</summary>
    public string? AiCredentialRef { get; init; }

    /// <summary>Reads the members <c>configurable</c>, <c>tags</c> and <c>metadata</c> of an object.</summary>
    internal static RunRequestOptions Read(RequestReader reader, RunOptionPolicy policy)
    {
        var configurable = reader.Object("configurable");
        if (configurable is { } sent && JsonMarshal.GetRawUtf8Value(sent).Length > RunOptionLimits.MaxConfigurableBytes)
            reader.Fail("configurable", $"'configurable' may have at most {RunOptionLimits.MaxConfigurableBytes} bytes.");

        var options = configurable is { } values
            ? ConfigurableReader.Read(values, policy, reader)
            : new() { RecursionLimit = policy.MaxNodeExecutions };
        return options with { Tags = ReadTags(reader), Metadata = ReadMetadata(reader) };
    }

    private static ImmutableArray<string> ReadTags(RequestReader reader)
    {
        if (reader.Array("tags") is not { } tags)
            return [];

        if (tags.GetArrayLength() <= RunOptionLimits.MaxTags
            && tags.EnumerateArray().All(tag => tag.ValueKind == JsonValueKind.String
                && CodePoints.Count(tag.GetString()!) is > 0 and <= RunOptionLimits.MaxTagLength))
        {
            return [.. tags.EnumerateArray().Select(tag => tag.GetString()!)];
        }

        reader.Fail("tags", $"'tags' may hold at most {RunOptionLimits.MaxTags} strings of 1 to {RunOptionLimits.MaxTagLength} characters.");
        return [];
    }

    private static JsonElement ReadMetadata(RequestReader reader)
    {
        if (reader.Object("metadata") is not { } metadata)
            return EmptyObject;

        if (JsonMarshal.GetRawUtf8Value(metadata).Length > RunOptionLimits.MaxMetadataBytes)
            reader.Fail("metadata", $"'metadata' may have at most {RunOptionLimits.MaxMetadataBytes} bytes.");
        else if (!Fits(metadata, RunOptionLimits.MaxMetadataDepth))
            reader.Fail("metadata", $"'metadata' may be nested at most {RunOptionLimits.MaxMetadataDepth} levels deep.");

        return metadata;
    }

    private static bool Fits(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.Object => depth > 0 && value.EnumerateObject().All(member => Fits(member.Value, depth - 1)),
        JsonValueKind.Array => depth > 0 && value.EnumerateArray().All(item => Fits(item, depth - 1)),
        _ => true,
    };
}

/// <summary>The choice of a mock provider.</summary>
/// <param name="Id">Id from <c>testing.mockProviders</c>.</param>
/// <param name="Config">Its configuration, an object; null when absent.</param>
public sealed record MockProviderChoice(string Id, JsonElement? Config);
