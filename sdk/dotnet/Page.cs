namespace OpenWop.Micro.Client;

/// <summary>Part of a list.</summary>
/// <param name="Data">The items.</param>
/// <param name="Next">Cursor of the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Data, string? Next);
