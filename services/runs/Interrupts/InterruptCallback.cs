using System.Diagnostics;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Interrupts;

/// <summary>Somebody to be told that an interrupt waits for an answer.</summary>
/// <param name="Target">The <c>callbackUrl</c> that the run was created with.</param>
/// <param name="DueAt">When the interrupt times out; null = never.</param>
internal sealed record InterruptCallback(Uri Target, string RunId, string NodeId, OpenInterrupt Interrupt, DateTimeOffset? DueAt)
{
    public required string Tenant { get; init; }

    /// <summary>The attempt that waits, in the trace of its run; null = none is kept.</summary>
    public ActivityContext? Trace { get; init; }

    /// <summary>The address at which whoever has the token can look at the interrupt and answer it.</summary>
    public static string UrlOf(string baseUrl, string token) => $"{baseUrl}/v1/interrupts/{Uri.EscapeDataString(token)}";

    /// <summary>What an append leads to. Interrupts that take a credential have no token, and so no callback.</summary>
    public static IEnumerable<InterruptCallback> Of(IReadOnlyList<RunEvent> events, RunState state)
    {
        if (state.Options?.CallbackUrl is not { } url)
            yield break;

        foreach (var @event in events)
        {
            if (@event.Body is NodeSuspended suspended
                && state.Nodes.GetValueOrDefault(suspended.Node) is { Interrupt: { IsResolved: false, Request.RequiresCredential: false } open } node
                && open.Id == suspended.InterruptId)
            {
                yield return new InterruptCallback(new Uri(url), state.RunId, suspended.Node, open, node.DueAt)
                {
                    Tenant = state.Options.Tenant,
                    Trace = SpanIdentity.WithinAttempt(state.RunId, state.Options, suspended.Node, node.Iteration, node.Attempt),
                };
            }
        }
    }
}
