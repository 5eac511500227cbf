using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>One caller of the host: a credential, or none.</summary>
internal sealed class HostClient(HostConnection connection, string? key, Func<ServedContract> contract)
{
    private static readonly TimeSpan StreamLimit = TimeSpan.FromSeconds(30);

    public string? Key => key;

    public Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, null, headers);

    public Task<Reply> PostAsync(string path, object? body = null, params (string Name, string Value)[] headers) =>
        SendAsync("POST", path, body is null ? null : JsonSerializer.Serialize(body), headers);

    /// <summary>Sends a request; the answer has been held against the published schemas.</summary>
    public async Task<Reply> SendAsync(string method, string path, string? body, params (string Name, string Value)[] headers)
    {
        var isSafe = method == "GET" || headers.Any(header => header.Name.Equals("Idempotency-Key", StringComparison.OrdinalIgnoreCase));
        var reply = await connection.CallAsync(isSafe, async http =>
        {
            using var request = Request(method, path, "application/json", headers);
            if (body is not null)
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");

            using var response = await http.SendAsync(request);
            var answer = await Reply.ReadAsync(response, CancellationToken.None);
            connection.RefuseIfNotFinal(path, answer, isSafe);
            return answer;
        });
        WireContract.Check(method, path, reply);
        contract().Check(method, path, body, reply);
        return reply;
    }

    /// <summary>Sends bytes as they are, which need not be JSON, nor text; the answer must be the envelope or fit the document all the same.</summary>
    public async Task<Reply> SendRawAsync(string method, string path, byte[] body, string contentType)
    {
        var reply = await connection.CallAsync(isSafe: false, async http =>
        {
            using var request = Request(method, path, "application/json", []);
            request.Content = new ByteArrayContent(body);
            request.Headers.ExpectContinue = true; // A host that refuses by the headers answers before the body is sent.
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            using var response = await http.SendAsync(request);
            var answer = await Reply.ReadAsync(response, CancellationToken.None);
            connection.RefuseIfNotFinal(path, answer, isSafe: false);
            return answer;
        });
        WireContract.Check(method, path, reply);
        return reply;
    }

    /// <summary>Reads server-sent events until the host ends the stream, or for a time of one's own choice.</summary>
    public Task<EventStreamReading> StreamAsync(string path, TimeSpan? leaveAfter = null, params (string Name, string Value)[] headers) =>
        connection.CallAsync(isSafe: true, http => StreamAsync(http, path, leaveAfter, headers));

    private async Task<EventStreamReading> StreamAsync(HttpClient http, string path, TimeSpan? leaveAfter, (string Name, string Value)[] headers)
    {
        using var request = Request("GET", path, "text/event-stream", headers);
        using var limit = new CancellationTokenSource(leaveAfter ?? StreamLimit);
        var started = Stopwatch.GetTimestamp();
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
        {
            var refusal = await Reply.ReadAsync(response, CancellationToken.None);
            connection.RefuseIfNotFinal(path, refusal, isSafe: true);
            WireContract.Check("GET", path, refusal);
            contract().Check("GET", path, null, refusal);
            throw new ConformanceException($"{path}: {refusal.Status} {refusal.Text}");
        }

        Expect.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType, "Content-Type of a stream");
        contract().CheckStream(path);
        var frames = new List<StreamFrame>();
        var endedByHost = false;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            await foreach (var item in SseParser.Create(body).EnumerateAsync(limit.Token))
                frames.Add(StreamFrame.Read(item.EventType, item.EventId, item.Data));
            endedByHost = true;
        }
        catch (OperationCanceledException) when (leaveAfter is not null)
        {
            // The client goes away; the run goes on.
        }
        catch (OperationCanceledException)
        {
            throw new ConformanceException($"{path}: the host did not end the stream within {StreamLimit.TotalSeconds} s");
        }

        return new EventStreamReading(frames, endedByHost, Stopwatch.GetElapsedTime(started));
    }

    private HttpRequestMessage Request(string method, string path, string accept, (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Accept.ParseAdd(accept);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
