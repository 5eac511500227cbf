using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Secrets;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// Streams the text of one call as chunks, without secrets. An attempt that starts over after a crash goes on behind what is in the log
/// already, as far as the answer is the same one; a different answer begins anew and says so.
/// </summary>
internal sealed class ChunkWriter
{
    private readonly NodeContext context;
    private readonly string model;
    private readonly RedactingText redacting;
    private int skip;
    private bool restarted;

    /// <param name="isSameAnswer">True when the answer is the one whose beginning has been streamed before.</param>
    public ChunkWriter(NodeContext context, string model, bool isSameAnswer)
    {
        this.context = context;
        this.model = model;
        redacting = new RedactingText(context.Redactor);
        skip = isSameAnswer ? context.Streamed?.Length ?? 0 : 0;
        restarted = !isSameAnswer && context.Streamed is not null;
        IsComplete = isSameAnswer && context.Streamed is { IsComplete: true };
    }

    /// <summary>True when the last chunk is in the log.</summary>
    public bool IsComplete { get; private set; }

    public ValueTask WriteAsync(string piece, CancellationToken cancellationToken) =>
        Unsent(redacting.Add(piece)) is { Length: > 0 } text ? SendAsync(text, isLast: false, answer: null, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Sends the last chunk with what is left and with what is known now.</summary>
    public async ValueTask EndAsync(string rest, ModelAnswer answer, CancellationToken cancellationToken)
    {
        if (IsComplete)
            return;

        var text = Unsent(redacting.Add(rest) + redacting.End());
        await SendAsync(text, isLast: true, answer, cancellationToken);
        IsComplete = true;
    }

    private string Unsent(string text)
    {
        var known = Math.Min(skip, text.Length);
        skip -= known;
        return text[known..];
    }

    private ValueTask SendAsync(string text, bool isLast, ModelAnswer? answer, CancellationToken cancellationToken)
    {
        var meta = NodeJson.Object(writer =>
        {
            writer.WriteString("model", answer?.Model ?? model);
            if (restarted)
            {
                writer.WriteStartObject("providerExtensions");
                writer.WriteBoolean("restarted", true);
                writer.WriteEndObject();
                restarted = false;
            }

            if (answer is not null)
                WriteEnd(writer, answer);
        });
        return context.Stream?.WriteAsync(text, isLast, context.Redactor.Redact(meta), cancellationToken) ?? ValueTask.CompletedTask;
    }

    private static void WriteEnd(Utf8JsonWriter writer, ModelAnswer answer)
    {
        writer.WriteString("finishReason", answer.FinishReason);
        writer.WriteStartObject("usage");
        writer.WriteNumber("promptTokens", answer.Usage.InputTokens);
        writer.WriteNumber("completionTokens", answer.Usage.OutputTokens);
        writer.WriteNumber("totalTokens", answer.Usage.InputTokens + answer.Usage.OutputTokens);
        writer.WriteEndObject();
        if (answer.ToolCalls is { } calls)
        {
            writer.WritePropertyName("toolCalls");
            calls.WriteTo(writer);
        }
    }
}
