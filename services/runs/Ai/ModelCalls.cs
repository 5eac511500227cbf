using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// Calls models for nodes:
/// <list type="number">
/// <item>through the activity ledger, so that an answer that was paid for is never asked for again;</item>
/// <item>what passes by itself (429, 5xx, a broken connection) is tried again, as long as no text has been streamed;</item>
/// <item>text is streamed as it comes;</item>
/// <item>tokens are reported once per call, as <c>provider.usage</c> and as cost.</item>
/// </list>
/// </summary>
internal sealed class ModelCalls(TimeProvider clock)
{
    private const int MaxTries = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    /// <param name="streams">Whether the text goes into the log as it comes.</param>
    public async Task<(ModelAnswer? Answer, NodeError? Error)> CallAsync(
        NodeContext context, ChosenModel chosen, ModelRequest request, bool streams, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // A mock has no effect outside: it is asked again instead of being remembered, and says the same.
        var performed = chosen.Adapter.IsDeterministic
            ? await PerformAsync(context, chosen, request, identity: "", streams, timeout, cancellationToken)
            : null;
        var result = performed ?? await context.Activities!.RunOnceAsync(
            $"{chosen.ProviderId}:chat",
            async (identity, cancelled) => performed = await PerformAsync(context, chosen, request, identity, streams, timeout, cancelled),
            cancellationToken);
        if (result.Error is { } error)
            return (null, error);

        var record = AnswerRecord.Read(result.Value);
        if (performed is null && streams)
            await new ChunkWriter(context, record.Answer.Model, isSameAnswer: true).EndAsync(record.Answer.Content, record.Answer, cancellationToken);

        // Another attempt has reported it already.
        if (record.Attempt == context.Attempt)
            Report(context, chosen, record.Answer);

        return (record.Answer, null);
    }

    private async Task<ActivityResult> PerformAsync(
        NodeContext context, ChosenModel chosen, ModelRequest request, string identity, bool streams, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var chunks = new ChunkWriter(context, request.Model, chosen.Adapter.IsDeterministic);
        var hasStreamed = false;
        for (var tries = 1; ; tries++)
        {
            try
            {
                var answer = await chosen.Adapter.CallAsync(request, identity, ReceiveAsync, linked.Token);
                if (streams)
                    await chunks.EndAsync(answer.Tail, answer, linked.Token);
                return new ActivityResult(new AnswerRecord(answer, context.Attempt).ToJson(), null, Settled: true);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return Failed(new NodeError("provider_timeout", $"The provider did not answer within {timeout.TotalMilliseconds:0} ms.", Retryable: true), isFinal: false);
            }
            catch (ModelCallException exception) when (exception.IsFinal || hasStreamed || tries == MaxTries)
            {
                return Failed(exception.Error, exception.IsFinal);
            }
            catch (ModelCallException exception)
            {
                var pause = exception.RetryAfter ?? FirstPause * Math.Pow(2, tries - 1);
                await Task.Delay(pause < LongestPause ? pause : LongestPause, clock, linked.Token);
            }
        }

        async ValueTask ReceiveAsync(string piece, CancellationToken cancelled)
        {
            if (!streams)
                return;

            hasStreamed = true;
            await chunks.WriteAsync(piece, cancelled);
        }
    }

    private static ActivityResult Failed(NodeError error, bool isFinal) => new(default, error, Settled: isFinal);

    private static void Report(NodeContext context, ChosenModel chosen, ModelAnswer answer)
    {
        var usd = chosen.Provider?.PriceOf(answer.Model, answer.Usage) ?? chosen.Provider?.PriceOf(chosen.Model, answer.Usage);
        var usage = answer.Usage;
        context.Emit(new NodeEvent(EventTypes.ProviderUsage, NodeJson.Object(writer =>
        {
            writer.WriteString("provider", chosen.ProviderId);
            writer.WriteString("model", answer.Model);
            writer.WriteNumber("inputTokens", usage.InputTokens);
            writer.WriteNumber("outputTokens", usage.OutputTokens);
            writer.WriteNumber("totalTokens", usage.InputTokens + usage.OutputTokens);
            if (usd is { } price)
                writer.WriteNumber("costEstimateUsd", price);
            if (usage.CacheReadTokens is { } read)
                writer.WriteNumber("cacheReadTokens", read);
            if (usage.CacheWriteTokens is { } written)
                writer.WriteNumber("cacheWriteTokens", written);
            writer.WriteString("nodeId", context.Node.Id);
        })));
        context.AddCost(new Cost(usage.InputTokens, usage.OutputTokens, usd, chosen.ProviderId, answer.Model));
    }
}
