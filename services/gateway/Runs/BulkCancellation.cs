using System.Buffers;
using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>
/// <c>POST /v1/runs:bulk-cancel</c> (spec/http-core.md 3.5): every run by itself, and the results in the order of the request. The call
/// succeeds even when no run could be cancelled; a run that is named twice is cancelled once and answered twice.
/// </summary>
internal sealed class BulkCancellation(Contracts.Runs.V1.Runs.RunsClient runs, ErrorTranslator errors)
{
    /// <summary>Runs of one call that are cancelled at the same time.</summary>
    private const int Parallelism = 8;

    public async Task<Answer> CancelAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var bytes = await call.ReadBody(cancellationToken);
        if (!BulkCancelBody.TryParse(bytes.Span, out var body, out var error))
            throw new ProtocolException(error);

        var runIds = body.RunIds.Distinct(StringComparer.Ordinal).ToArray();
        var outcomes = new Outcome[runIds.Length];
        await Parallel.ForAsync(
            0, runIds.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (index, token) => outcomes[index] = await CancelOneAsync(call, runIds[index], body.Reason ?? "", token));

        var byId = outcomes.Zip(runIds).ToDictionary(pair => pair.Second, pair => pair.First, StringComparer.Ordinal);
        var isPassing = outcomes.Any(outcome => outcome.Error is { Code.HttpStatus: 429 or >= 500 });
        return Answer.Json(StatusCodes.Status200OK, Write(body.RunIds, byId)) with { IsPassing = isPassing };
    }

    private async Task<Outcome> CancelOneAsync(OperationCall call, string runId, string reason, CancellationToken cancellationToken)
    {
        try
        {
            var request = new CancelRunRequest { RunId = RunOperations.RequireRunId(runId), Reason = reason };
            var reply = await runs.CancelRunAsync(request, call.Caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
            return new Outcome(reply.Status, Error: null);
        }
        catch (Exception exception) when (exception is RpcException or ProtocolException && !cancellationToken.IsCancellationRequested)
        {
            return new Outcome(Status: null, errors.Translate(exception, call.Operation.Id));
        }
    }

    private static ReadOnlyMemory<byte> Write(IEnumerable<string> runIds, Dictionary<string, Outcome> outcomes)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteStartArray("results"u8);
            foreach (var runId in runIds)
            {
                var (status, error) = outcomes[runId];
                json.WriteStartObject();
                json.WriteString("runId"u8, runId);
                json.WriteBoolean("ok"u8, error is null);
                if (status is not null)
                    json.WriteString("status"u8, status);
                if (error is not null)
                {
                    json.WritePropertyName("error"u8);
                    error.WriteTo(json);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    /// <summary>What became of one run: a status, or an error.</summary>
    private sealed record Outcome(string? Status, ProtocolError? Error);
}
