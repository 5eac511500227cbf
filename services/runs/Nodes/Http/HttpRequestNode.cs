using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Activities;

namespace OpenWop.Micro.Runs.Nodes.Http;

/// <summary>
/// <c>core.http.request</c>: sends one request and returns <c>{status, headers, body}</c>. The activity's identity goes along
/// as <c>Idempotency-Key</c> and is the same on every attempt, so that a provider that honors it acts once. Failures that may
/// pass (no connection, timeout, 408, 429, 5xx) leave the activity open for the next attempt; every other answer settles it.
/// Neither headers nor bodies are ever logged.
/// </summary>
internal sealed class HttpRequestNode(EgressHttp http) : INodeHandler
{
    /// <summary>A larger answer to a request that changes nothing is not kept: asking again is as good.</summary>
    private const int MaxKeptBytes = ActivityRecord.MaxBytes / 2;

    public string TypeId => "core.http.request";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var call = HttpCall.Read(parameters);
        if (parameters.HasFailed(out var invalid))
        {
            return invalid;
        }

        return await SendOnceAsync(context, call!, cancellationToken);
    }

    /// <summary>Sends a request once per execution of its node.</summary>
    internal async ValueTask<NodeOutcome> SendOnceAsync(NodeContext context, HttpCall call, CancellationToken cancellationToken)
    {
        var result = await context.Activities!.RunOnceAsync(
            $"http:{call.Method}",
            (identity, cancelled) => SendAsync(call, identity, cancelled),
            cancellationToken);
        return result.Error is { } error ? new NodeOutcome.Failed(error) : new NodeOutcome.Completed(result.Value);
    }

    private async Task<ActivityResult> SendAsync(HttpCall call, string identity, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(call.TimeoutMs);
        try
        {
            using var request = call.ToRequest(identity);
            using var answer = await http.SendAsync(request, limit.Token);
            return await ReadAsync(call, answer, limit.Token);
        }
        catch (EgressDeniedException denied)
        {
            return NotSent(new NodeError("egress_denied", denied.Denial.Reason));
        }
        catch (OperationCanceledException) when (!limit.IsCancellationRequested)
        {
            return NotSent(new NodeError("http_connect_failed", "The request failed: no connection could be made in time.", Retryable: true));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return NotSent(new NodeError("http_timeout", $"There was no complete answer within {call.TimeoutMs} ms.", Retryable: true));
        }
        catch (HttpRequestException exception)
        {
            return NotSent(new NodeError("http_connect_failed", $"The request failed: {Describe(exception.HttpRequestError)}.", Retryable: true));
        }
        catch (IOException)
        {
            return NotSent(new NodeError("http_connect_failed", "The connection broke before the answer was complete.", Retryable: true));
        }
        catch (InvalidDataException)
        {
            return Settled(new NodeError("http_response_invalid", "The compression of the answer is broken."));
        }
    }

    private static async Task<ActivityResult> ReadAsync(HttpCall call, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var status = (int)answer.StatusCode;
        if (!call.IsExpected(status))
        {
            var mayPass = status is 408 or 429 or >= 500;
            var error = new NodeError("http_status", $"The answer has status {status}.", mayPass, NodeJson.Object(writer => writer.WriteNumber("status", status)));
            return new ActivityResult(default, error, Settled: !mayPass);
        }

        // The length that an answer to HEAD declares is not its own.
        var body = call.Method == "HEAD" ? [] : await BoundedBody.ReadAsync(answer.Content, call.MaxResponseBytes, cancellationToken);
        return body is null
            ? Settled(new NodeError("http_response_too_large", $"The answer has more than {call.MaxResponseBytes} bytes."))
            : new ActivityResult(HttpAnswer.ToOutputs(answer, body), null, Settled: !call.IsSafe || body.Length <= MaxKeptBytes);
    }

    private static ActivityResult NotSent(NodeError error) => new(default, error, Settled: false);

    private static ActivityResult Settled(NodeError error) => new(default, error, Settled: true);

    /// <summary>Without addresses: what a name resolves to is nobody's business.</summary>
    private static string Describe(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => "the host name cannot be resolved",
        HttpRequestError.ConnectionError => "no connection could be made",
        HttpRequestError.SecureConnectionError => "no secure connection could be made",
        HttpRequestError.ConfigurationLimitExceeded => "the headers of the answer are too large",
        HttpRequestError.HttpProtocolError or HttpRequestError.InvalidResponse => "the answer is not valid HTTP",
        HttpRequestError.ResponseEnded => "the answer ended early",
        _ => "the connection broke",
    };
}
