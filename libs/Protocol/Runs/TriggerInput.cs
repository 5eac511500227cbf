using System.Text.Json;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>
/// Inputs of runs are objects; authors may start a run with any JSON. Anything but an object travels as the only member of one.
/// </summary>
public static class TriggerInput
{
    /// <summary>The member that stands for the input itself.</summary>
    public const string Member = "$input";

    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    /// <summary>The input as authors see it.</summary>
    public static JsonElement Unwrap(JsonElement inputs) =>
        inputs.ValueKind != JsonValueKind.Object ? EmptyObject
        : inputs.GetPropertyCount() == 1 && inputs.TryGetProperty(Member, out var input) ? input
        : inputs;
}
