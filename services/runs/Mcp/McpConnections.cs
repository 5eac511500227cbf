using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary>
/// Speaks to the servers, one connection per call: what one workflow does in a session is no business of the next one. Bodies are
/// bounded, there are no redirects, and the activity's identity goes along as <c>Idempotency-Key</c>.
/// </summary>
internal sealed class McpConnections : IDisposable
{
    /// <summary>Largest answer of a server, in bytes.</summary>
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    /// <summary>Largest result of a tool, in bytes of JSON.</summary>
    private const int MaxResultBytes = ActivityRecord.MaxBytes / 2;

    /// <summary>Pages of a server's list of tools that are looked through.</summary>
    private const int MaxPages = 50;

    /// <summary>Time for finding out which revision of the protocol a server speaks.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);

    // The operator has named these servers, which may well be at home.
    private readonly EgressHttp http = new(new EgressPolicy { AllowPrivate = true });

    public async Task<ActivityResult> CallAsync(McpServer server, McpCall call, string identity, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(call.TimeoutMs);
        try
        {
            using var client = new HttpClient(new EgressHandler(http, MaxAnswerBytes)) { Timeout = Timeout.InfiniteTimeSpan };
            await using var connection = await ConnectAsync(server, client, identity, limit.Token);
            return await CallAsync(connection, call, identity, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Open("mcp_timeout", $"The tool did not answer within {call.TimeoutMs} ms.");
        }
        catch (McpProtocolException exception)
        {
            return Settled(new NodeError("mcp_error", $"The server refused the call ({(int)exception.ErrorCode})."));
        }
        catch (Exception exception) when (TooLarge(exception))
        {
            return Settled(new NodeError("mcp_result_too_large", $"The server answered with more than {MaxAnswerBytes} bytes."));
        }
        catch (Exception exception) when (exception is McpException or HttpRequestException or IOException or JsonException or EgressDeniedException && !cancellationToken.IsCancellationRequested)
        {
            return Open("mcp_unreachable", "The server does not answer as an MCP server does.");
        }
    }

    /// <summary>The text in the content of a result.</summary>
    public static string TextOf(JsonElement result)
    {
        var text = new StringBuilder();
        foreach (var block in result.Member("content") is { ValueKind: JsonValueKind.Array } content ? content.EnumerateArray() : default)
        {
            if (block.StringMember("text") is { } part)
                text.Append(text.Length > 0 ? "\n" : "").Append(part);
        }

        return text.ToString();
    }

    public void Dispose() => http.Dispose();

    private static Task<McpClient> ConnectAsync(McpServer server, HttpClient client, string identity, CancellationToken cancellationToken)
    {
        var transport = new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = server.Url,
                Name = server.Name,
                TransportMode = HttpTransportMode.StreamableHttp,
                EnableStandaloneGetStream = false,
                AdditionalHeaders = new Dictionary<string, string> { ["Idempotency-Key"] = identity },
            },
            client);
        var options = new McpClientOptions
        {
            ClientInfo = new Implementation { Name = "OpenWop.Micro", Version = typeof(McpConnections).Assembly.GetName().Version!.ToString(3) },
            DiscoverProbeTimeout = ProbeTimeout,
        };
        return McpClient.CreateAsync(transport, options, loggerFactory: null, cancellationToken);
    }

    private static async Task<ActivityResult> CallAsync(McpClient connection, McpCall call, string identity, CancellationToken cancellationToken)
    {
        if (!await HasToolAsync(connection, call.Tool, cancellationToken))
            return Settled(new NodeError("mcp_tool_not_found", $"The server has no tool '{call.Tool}'."));

        var answer = await connection.CallToolAsync(
            new CallToolRequestParams
            {
                Name = call.Tool,
                Arguments = call.Arguments.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal),
                Meta = new JsonObject { ["idempotencyKey"] = identity },
            },
            cancellationToken);
        var result = JsonSerializer.SerializeToElement(answer, McpJsonUtilities.DefaultOptions);
        if (System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(result).Length > MaxResultBytes)
            return Settled(new NodeError("mcp_result_too_large", $"The result has more than {MaxResultBytes} bytes."));

        return answer.IsError == true ? Settled(McpTools.ToolFailed(call, TextOf(result))) : new ActivityResult(result, null, Settled: true);
    }

    private static async Task<bool> HasToolAsync(McpClient connection, string name, CancellationToken cancellationToken)
    {
        var request = new ListToolsRequestParams();
        for (var page = 0; page < MaxPages; page++)
        {
            var tools = await connection.ListToolsAsync(request, cancellationToken);
            if (tools.Tools.Any(tool => tool.Name == name))
                return true;

            if (tools.NextCursor is not { Length: > 0 } next)
                return false;

            request.Cursor = next;
        }

        return false;
    }

    private static bool TooLarge(Exception? exception) =>
        exception is not null && (exception is ResponseTooLargeException || TooLarge(exception.InnerException));

    private static ActivityResult Open(string code, string message) => new(default, new NodeError(code, message, Retryable: true), Settled: false);

    private static ActivityResult Settled(NodeError error) => new(default, error, Settled: true);
}
