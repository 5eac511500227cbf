namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Which ids a block may have: those that a template can name.</summary>
internal static class BlockIds
{
    private const int MaxLength = 16_384;

    /// <summary>One sentence; null when the id is fine.</summary>
    public static string? Problem(string id) => id switch
    {
        _ when string.IsNullOrWhiteSpace(id) => "The id of a block is not empty.",
        { Length: > MaxLength } => $"The id of a block has at most {MaxLength} characters.",
        "trigger" or "env" or "vars" or "secrets" => "The id is a word of templates.",
        _ when id.AsSpan().IndexOfAny('.', '{', '}') >= 0 => "The id of a block holds no dots and no braces.",
        _ when id.Any(char.IsControl) => "The id of a block holds no control characters.",
        _ => null,
    };
}
