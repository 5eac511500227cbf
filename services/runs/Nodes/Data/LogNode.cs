using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Data;

/// <summary>
/// <c>core.log</c>: appends a line to the run's log (<c>log.appended</c>): <c>level</c> (default info), <c>message</c> and
/// the object <c>fields</c>. A message that is no string is logged as its JSON text.
/// </summary>
internal sealed class LogNode : INodeHandler
{
    /// <summary>Longest message in characters; a longer one is cut, because a log line must not fail a run.</summary>
    public const int MaxMessageLength = 8192;

    /// <summary>Stands for fields that are too large or too deep, for the same reason.</summary>
    private static readonly JsonElement Omitted = JsonElement.Parse("{\"omitted\":true}"u8);

    public string TypeId => "core.log";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var level = parameters.OneOf("level", "info", "debug", "warn", "error");
        var fields = parameters.Object("fields");
        var message = parameters.Find("message", "input");
        if (message is null)
        {
            parameters.Reject("message", "must be given, as input port or config member");
        }

        if (parameters.HasFailed(out var failed))
        {
            return ValueTask.FromResult(failed);
        }

        var text = message!.Value.ValueKind == JsonValueKind.String ? message.Value.GetString()! : message.Value.GetRawText();
        context.Log(level, Cut(text), fields is null || NodeLimits.IsLoggable(fields.Value) ? fields : Omitted);
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.EmptyObject));
    }

    private static string Cut(string text)
    {
        if (text.Length <= MaxMessageLength)
        {
            return text;
        }

        // Half a surrogate pair would not be valid text.
        var end = char.IsHighSurrogate(text[MaxMessageLength - 2]) ? MaxMessageLength - 2 : MaxMessageLength - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }
}
