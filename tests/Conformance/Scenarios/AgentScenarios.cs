using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.13: what agents of a run say, and when a person has to look.</summary>
internal static class AgentScenarios
{
    private const string Section = "7.13 Agents";
    private const string Identity = "conformance-agent-identity";
    private const string Reasoning = "conformance-agent-reasoning";
    private const string Streaming = "conformance-agent-reasoning-streaming";
    private const string LowConfidence = "conformance-agent-low-confidence";

    private static readonly Gate Agents = Gate.Family("agents.supported");
    private static readonly Gate Reasons = Gate.Family("agents.reasoning").And(Gate.Family("conformance.mockAgent"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A run shows the agent that works for it", Agents.And(Gate.Fixtures(Identity)), async suite =>
        {
            var snapshot = await suite.SnapshotAsync(await suite.CompleteAsync(Identity));
            Expect.That(
                new[] { "agent", "runOrchestrator" }.Any(name => snapshot.TryGetProperty(name, out var agent) && agent.GetProperty("agentId").GetString()!.Length >= 3),
                $"an agent in {snapshot.GetRawText()}");
        }),
        new(Section, "An agent reasons, calls a tool, hands over and decides, in this order", Reasons.And(Gate.Fixtures(Reasoning)), async suite =>
        {
            var events = await suite.EventsAsync(await suite.CompleteAsync(Reasoning));
            Expect.Sequence(
                ["agent.reasoned", "agent.toolCalled", "agent.toolReturned", "agent.handoff", "agent.decided"],
                Suite.TypesOf(events).Where(type => type.StartsWith("agent.", StringComparison.Ordinal)), "events of the agent");

            var call = Suite.OfType(events, "agent.toolCalled").Single();
            var answer = Suite.OfType(events, "agent.toolReturned").Single();
            Expect.Equal(Text(call, "callId"), Text(answer, "callId"), "callId");
            Expect.Equal(call.GetProperty("eventId").GetString(), answer.GetProperty("causationId").GetString(), "cause of the answer");

            var handoff = Suite.OfType(events, "agent.handoff").Single();
            Expect.That(Text(handoff, "fromAgentId")!.Length >= 3 && Text(handoff, "toAgentId")!.Length >= 3, "agents of the handoff");
        }),
        new(Section, "Reasoning that is streamed ends with the whole text", Reasons.And(Gate.Family("agents.reasoning.streaming")).And(Gate.Fixtures(Streaming)), async suite =>
        {
            var events = await suite.EventsAsync(await suite.CompleteAsync(Streaming));
            var deltas = Suite.OfType(events, "agent.reasoning.delta").ToList();
            Expect.Sequence(Enumerable.Range(0, 3), deltas.Select(delta => delta.GetProperty("payload").GetProperty("sequence").GetInt32()), "sequence of deltas");
            var whole = Suite.OfType(events, "agent.reasoned").Single();
            Expect.Equal(string.Concat(deltas.Select(delta => Text(delta, "delta"))), Text(whole, "reasoning"), "reasoning");
            Expect.That(Sequence(whole) > deltas.Max(Sequence), "the whole text comes last");
        }),
        new(Section, "A decision with little confidence waits for a person", Agents.And(Gate.Fixtures(LowConfidence)), async suite =>
        {
            var run = await suite.CreateAsync(LowConfidence);
            await suite.UntilAsync(run, "waiting-approval");
            var suspended = Suite.OfType(await suite.EventsAsync(run), "node.suspended").Single().GetProperty("payload");
            Expect.Equal("low-confidence", suspended.GetProperty("reason").GetString(), "reason");
            Expect.That(suspended.GetProperty("agentId").GetString()!.Length >= 3, "agentId");
            Expect.That(suspended.GetProperty("observed").GetDouble() < suspended.GetProperty("threshold").GetDouble(), "observed is below the threshold");
        }),
        new(Section, "The threshold of confidence is an option of the run", Agents.And(Gate.Fixtures(LowConfidence)), async suite =>
        {
            var run = await suite.CreateAsync(LowConfidence, configurable: new { escalationThreshold = 0.4 });
            await suite.UntilAsync(run, "completed");
            Expect.That(!Suite.OfType(await suite.EventsAsync(run), "node.suspended").Any(), "no suspension");
        }),
    ];

    private static string? Text(JsonElement document, string name) => document.GetProperty("payload").GetProperty(name).GetString();

    private static long Sequence(JsonElement document) => document.GetProperty("sequence").GetInt64();
}
