using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Interrupts;

/// <summary>
/// Answers to interrupts from both surfaces. A token is looked up before its body is judged, and its signature before its expiry:
/// a forged token never learns more than that it is unknown (spec/interrupts-state-storage.md 2.3).
/// </summary>
internal sealed class InterruptResolver(RunRegistry registry, RunStore store, InterruptTokens tokens, TimeProvider clock)
{
    private static readonly ProtocolError Unknown = new(ErrorCodes.InterruptNotFound, "The interrupt does not exist.");

    public async Task<RunState> ResolveAsync(string runId, string nodeId, ReadOnlyMemory<byte> resumeValue, string? principal)
    {
        var command = new RunCommand.Resolve(nodeId, new Answer(Parse(resumeValue), principal, ByToken: false));
        await registry.PostAsync(runId, command);
        return await command.Reply;
    }

    public async Task<(TokenPayload Token, RunState State)> ResolveByTokenAsync(string token, ReadOnlyMemory<byte> resumeValue, CancellationToken cancellationToken)
    {
        var (payload, open) = await FindAsync(token, cancellationToken);
        if (payload.Intent != "resolve")
            throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The token only allows to inspect the interrupt."));

        if (open.IsResolved)
            throw new ProtocolException(new ProtocolError(ErrorCodes.InterruptAlreadyResolved, "The interrupt has been resolved."));

        if (resumeValue.IsEmpty)
            throw new ProtocolException(ProtocolError.Validation("resumeValue is required.", "resumeValue"));

        var command = new RunCommand.Resolve(payload.NodeId, new Answer(Parse(resumeValue), Principal: null, ByToken: true));
        await registry.PostAsync(payload.RunId, command);
        return (payload, await command.Reply);
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
        var state = registry.StateOf(payload.RunId) ?? await store.LoadStateAsync(payload.RunId, cancellationToken);
        if (state.Nodes.GetValueOrDefault(payload.NodeId)?.Interrupt is not { } open || open.Id != payload.InterruptId)
            throw new ProtocolException(Unknown);

        return payload.ExpiresAt > clock.GetUtcNow()
            ? (payload, open)
            : throw new ProtocolException(new ProtocolError(ErrorCodes.InterruptExpired, "The token has expired."));
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return JsonElement.Parse(utf8.Span);
        }
        catch (JsonException)
        {
            throw new ProtocolException(ProtocolError.Validation("resumeValue is not valid JSON.", "resumeValue"));
        }
    }
}
