namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.fail</c>: fails with <c>code</c>, <c>message</c> and <c>retryable</c> (default false). With <c>failAttempts: n</c>
/// only the first n attempts fail, retryably unless said otherwise, and the next one completes: for trying out retries.
/// Defaults of code and message: spec/conformance.md 5.
/// </summary>
internal sealed class FailNode : INodeHandler
{
    public string TypeId => "core.fail";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var code = parameters.String("code") ?? "conformance_test_failure";
        var message = parameters.String("message") ?? "Intentional conformance failure";
        var failAttempts = parameters.Integer("failAttempts", 0, int.MaxValue, int.MaxValue);
        var retryable = parameters.Boolean("retryable", fallback: failAttempts != int.MaxValue);
        var details = parameters.Object("details");
        if (code.Length is 0 or > 128 || code.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not '_' and not '.' and not '-'))
        {
            parameters.Reject("code", "must be 1 to 128 letters, digits, '_', '.' or '-'");
        }

        if (parameters.HasFailed(out var invalid))
        {
            return ValueTask.FromResult(invalid);
        }

        return ValueTask.FromResult<NodeOutcome>(context.Attempt < failAttempts
            ? new NodeOutcome.Failed(new NodeError(code, message.Length == 0 ? code : message, retryable, details))
            : new NodeOutcome.Completed(NodeJson.Object(writer => writer.WriteNumber("failedAttempts", context.Attempt))));
    }
}
