namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// What a schema and one validation with it may cost. Schemas come from people who are not trusted with the process, so
/// that a schema of a few bytes must neither exhaust the stack nor keep a core busy.
/// </summary>
public sealed record SchemaLimits
{
    /// <summary>For schemas that arrive in documents: <c>configurableSchema</c>, <c>resumeSchema</c>, channel schemas.</summary>
    public static readonly SchemaLimits Untrusted = new();

    /// <summary>For the published schemas, which are held against documents of up to 4 MiB.</summary>
    public static readonly SchemaLimits Published = new()
    {
        MaxBytes = 4 << 20,
        MaxSubschemas = 100_000,
        MaxSteps = 50_000_000,
        PatternTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>Size of the schema document in bytes of UTF-8.</summary>
    public int MaxBytes { get; init; } = 256 * 1024;

    /// <summary>Subschemas in the document.</summary>
    public int MaxSubschemas { get; init; } = 5_000;

    /// <summary>
    /// Work of one validation. A step is one subschema applied to one value, or one member looked at; long values and comparisons
    /// cost more. A million steps take some tenths of a second.
    /// </summary>
    public int MaxSteps { get; init; } = 1_000_000;

    /// <summary>Subschemas applied inside one another, references included.</summary>
    public int MaxDepth { get; init; } = 400;

    /// <summary>Length of a regular expression in characters.</summary>
    public int MaxPatternLength { get; init; } = 1_024;

    /// <summary>
    /// Time that the matches of one validation may take together, for the few patterns that cannot run in linear time. Generous,
    /// because it is the only limit that depends on how busy the machine is.
    /// </summary>
    public TimeSpan PatternTimeout { get; init; } = TimeSpan.FromMilliseconds(500);
}
