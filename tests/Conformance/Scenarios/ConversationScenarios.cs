using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.13: conversations of several turns.</summary>
internal static class ConversationScenarios
{
    private const string Section = "7.13 Conversations";
    private const string Lifecycle = "conformance-conversation-lifecycle";
    private const string VersusClarification = "conformance-conversation-vs-clarification";
    private const string Replayed = "conformance-conversation-replay";
    private const string Negotiation = "conformance-conversation-capability-negotiation";

    private static readonly Gate Conversations = Gate.Family("conversationPrimitive");
    private static readonly Gate NoConversations = new("no conversationPrimitive", static suite => !suite.Advertised.Has("conversationPrimitive"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A conversation is opened, exchanged and closed under one id", Conversations.And(Gate.Fixtures(Lifecycle)), async suite =>
        {
            var events = (await suite.EventsAsync(await suite.CompleteAsync(Lifecycle))).Where(IsOfConversation).ToList();
            Expect.Equal("conversation.opened", Suite.TypesOf(events).First(), "first event");
            Expect.Equal("conversation.closed", Suite.TypesOf(events).Last(), "last event");
            Expect.Equal(1, events.Select(document => document.GetProperty("payload").GetProperty("conversationId").GetString()).Distinct().Count(), "number of ids");
        }),
        new(Section, "A conversation is no clarification", Conversations.And(Gate.Fixtures(VersusClarification)), async suite =>
        {
            var events = await suite.EventsAsync(await suite.CompleteAsync(VersusClarification));
            Expect.That(!Suite.TypesOf(events).Any(type => type.StartsWith("clarification.", StringComparison.Ordinal)), "no events of clarification");
            Expect.That(events.Any(IsOfConversation), "events of a conversation");
        }),
        new(Section, "A replayed conversation leaves the same channel", Conversations.And(Gate.Family("replay.supported")).And(Gate.Fixtures(Replayed)), async suite =>
        {
            var run = await suite.CompleteAsync(Replayed);
            var fork = Suite.RunIdOf((await suite.Host.PostAsync($"/v1/runs/{run}:fork", new { mode = "replay" })).Expecting(201));
            await suite.UntilAsync(fork, "completed", TimeSpan.FromSeconds(15));
            var (original, replayed) = (await ChannelsAsync(suite, run), await ChannelsAsync(suite, fork));
            Expect.That(original.ValueKind == JsonValueKind.Object && original.GetProperty("conversation").GetArrayLength() > 0, "the channel of the conversation");
            Expect.Equal(original.GetRawText(), replayed.GetRawText(), "channels");
        }),
        new(Section, "A conversation that nothing was said about is opened, waits and can be cancelled", Conversations.And(Gate.Fixtures(Negotiation)), async suite =>
        {
            var runId = await InterruptScenarios.WaitingAsync(suite, Negotiation, "waiting-approval");
            Expect.Equal(1, Suite.OfType(await suite.EventsAsync(runId), "conversation.opened").Count(), "number of conversation.opened");
            await InterruptScenarios.CancelAsync(suite, runId);
            await suite.UntilAsync(runId, "cancelled");
        }),
        new(Section, "A conversation that the host does not know is refused", NoConversations, async suite =>
            (await suite.Host.PostAsync("/v1/runs", Suite.Body(Negotiation))).Expecting(400, 404, 422)),
    ];

    private static bool IsOfConversation(JsonElement document) => document.GetProperty("type").GetString()!.StartsWith("conversation.", StringComparison.Ordinal);

    private static async Task<JsonElement> ChannelsAsync(Suite suite, string run) => (await suite.SnapshotAsync(run)).GetProperty("channels");
}
