using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Variables that older clients use as channels (spec/interrupts-state-storage.md 6.6): the prefix of their name implies a
/// reducer, and every write shows as a channel write too.
/// </summary>
internal static class LegacyChannels
{
    private static readonly (string Prefix, string Reducer)[] Families =
    [
        ("_approvalVotes:", ChannelReducers.Append),
        ("_askExchanges:", ChannelReducers.Append),
        ("_clarificationAnswers:", ChannelReducers.Merge),
        ("_feedbackHistory:", ChannelReducers.Append),
        ("_loopbackCount:", ChannelReducers.Counter),
        ("_loopbackIteration:", ChannelReducers.Replace),
        ("_previousArtifact:", ChannelReducers.Replace),
        ("wfArtifactData_", ChannelReducers.Replace),
        ("_activeClarification", ChannelReducers.Replace),
    ];

    /// <summary>The reducer that a variable's name implies; null for an ordinary variable.</summary>
    public static string? ReducerOf(string variable)
    {
        foreach (var (prefix, reducer) in Families)
        {
            if (variable.StartsWith(prefix, StringComparison.Ordinal))
                return reducer;
        }

        return null;
    }

    /// <summary>Adds the channel write that goes with a variable, if its name asks for one.</summary>
    /// <param name="write">What was added, where the variable's value is the whole list; null = the value.</param>
    public static void Add(Draft draft, VariableChanged changed, JsonElement? write = null)
    {
        if (ReducerOf(changed.Name) is { } reducer)
            draft.Add(new ChannelWritten(changed.Name, write ?? changed.Value, reducer, draft.Now, changed.Node) { IsCopy = true, Sensitive = changed.Sensitive });
    }
}
