using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Interrupts;

/// <summary>
/// Answers to interrupts from both surfaces. A token is looked up before its body is judged, and its signature before its expiry:
/// a forged token never learns more than that it is unknown (spec/interrupts-state-storage.md 2.3).
/// </summary>
internal sealed class InterruptResolver(RunRegistry registry, RunStore store, InterruptTokens tokens, TimeProvider clock)
{
    /// <summary>An answer becomes part of events, and outputs of nodes.</summary>
    private static readonly JsonLimits Limits = new(1024 * 1024, NodeLimits.MaxDepth);

    private static readonly ProtocolError Unknown = new(ErrorCodes.InterruptNotFound, "The interrupt does not exist.");

    public Task<Decided> ResolveAsync(string runId, string nodeId, ReadOnlyMemory<byte> resumeValue, string? principal, RequestIdentity? request) =>
        PostAsync(runId, new RunCommand.Resolve(nodeId, new Answer(Parse(resumeValue), principal, ByToken: false), request));

    public async Task<(TokenPayload Token, Decided Decided)> ResolveByTokenAsync(
        string token, ReadOnlyMemory<byte> resumeValue, RequestIdentity? request, CancellationToken cancellationToken)
    {
        // A retry gets the answer of the first call, whatever the interrupt, or its token, has come to since.
        var signed = await tokens.VerifyAsync(token, cancellationToken) ?? throw new ProtocolException(Unknown);
        if (request is not null && HandledRequests.Find(await StateAsync(signed.RunId, cancellationToken), request.Id) is { } handled)
        {
            return handled.Request.Digest == request.Digest
                ? (signed, new Decided(handled.At, handled.Status, IsReplay: true))
                : throw new ProtocolException(RunErrors.RequestMismatch);
        }

        var (payload, open) = await FindAsync(token, cancellationToken);
        if (payload.Intent != "resolve")
            throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The token only allows to inspect the interrupt."));

        if (open.IsResolved)
            throw new ProtocolException(new ProtocolError(ErrorCodes.InterruptAlreadyResolved, "The interrupt has been resolved."));

        if (resumeValue.IsEmpty)
            throw new ProtocolException(ProtocolError.Validation("resumeValue is required.", "resumeValue"));

        return (payload, await PostAsync(payload.RunId, new RunCommand.Resolve(payload.NodeId, new Answer(Parse(resumeValue), Principal: null, ByToken: true), request)));
    }

    /// <summary>The run that a token is about; says nothing about whether the token is still good.</summary>
    /// <exception cref="ProtocolException">The token is none of ours.</exception>
    public async Task<string> RunOfAsync(string token, CancellationToken cancellationToken) =>
        (await tokens.VerifyAsync(token, cancellationToken) ?? throw new ProtocolException(Unknown)).RunId;

    /// <summary>The interrupt payload behind a token.</summary>
    public async Task<JsonElement> InspectAsync(string token, CancellationToken cancellationToken)
    {
        var (_, open) = await FindAsync(token, cancellationToken);
        return JsonValues.Object(writer => InterruptPayloads.WriteRequest(writer, open.Request));
    }

    private async Task<(TokenPayload Token, OpenInterrupt Interrupt)> FindAsync(string token, CancellationToken cancellationToken)
    {
        var payload = await tokens.VerifyAsync(token, cancellationToken) ?? throw new ProtocolException(Unknown);
        var state = await StateAsync(payload.RunId, cancellationToken);
        if (state.Nodes.GetValueOrDefault(payload.NodeId)?.Interrupt is not { } open || open.Id != payload.InterruptId)
            throw new ProtocolException(Unknown);

        return payload.ExpiresAt > clock.GetUtcNow()
            ? (payload, open)
            : throw new ProtocolException(new ProtocolError(ErrorCodes.InterruptExpired, "The token has expired."));
    }

    private async Task<RunState> StateAsync(string runId, CancellationToken cancellationToken) =>
        registry.StateOf(runId) ?? await store.LoadStateAsync(runId, cancellationToken);

    private async Task<Decided> PostAsync(string runId, RunCommand.Resolve command)
    {
        await registry.PostAsync(runId, command);
        await command.Reply;
        return command.Decided;
    }

    /// <summary>One reading only: what is checked here is what the node gets.</summary>
    private static JsonElement Parse(ReadOnlyMemory<byte> utf8) =>
        StrictJson.TryParse(utf8.Span, Limits, out var value, out var problem)
            ? value
            : throw new ProtocolException(problem.Code == "too_large"
                ? problem.ToProtocolError()
                : ProtocolError.Validation($"resumeValue: {problem.Message}", $"resumeValue{problem.Path}"));
}
