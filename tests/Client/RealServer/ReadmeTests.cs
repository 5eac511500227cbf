using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Client.Runs;
using OpenWop.Micro.Client.Webhooks;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.Client.Tests.RealServer;

/// <summary>The code in the library's README is code of this file, which runs.</summary>
[Collection(WithHost.Name)]
public sealed class ReadmeTests(RunningHost host)
{
    [Fact]
    public async Task The_readme_shows_code_that_runs()
    {
        await using var console = new StringWriter();
        await GreetAsync(host.Client.Options.BaseAddress, Installation.Key, console);

        Assert.Contains("Applied all 1 operation(s)", console.ToString(), StringComparison.Ordinal);
        Assert.Contains("run.completed", console.ToString(), StringComparison.Ordinal);
        var here = Lines(await ReadAsync("tests/Client/RealServer/ReadmeTests.cs")).Replace("Out.WriteLine", "Console.WriteLine", StringComparison.Ordinal);
        var blocks = Regex.Matches(await ReadAsync("sdk/dotnet/README.md"), "```csharp\n(.*?)```", RegexOptions.Singleline);
        Assert.Equal(2, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(Lines(block.Groups[1].Value), here, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_receiver_takes_what_is_signed_and_nothing_else()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var receiver = builder.Build();
        receiver.Urls.Add("http://127.0.0.1:0");
        receiver.MapPost("/", (HttpRequest request) => ReceiveAsync(request, "a secret"));
        await receiver.StartAsync();
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(HttpStatusCode.OK, await SendAsync(WebhookSignature.Sign("a secret", timestamp, "{}"u8)));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(WebhookSignature.Sign("another", timestamp, "{}"u8)));

        async Task<HttpStatusCode> SendAsync(string signature)
        {
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Urls.Single()) { Content = new ByteArrayContent("{}"u8.ToArray()) };
            request.Headers.Add(WebhookSignature.TimestampHeader, timestamp);
            request.Headers.Add(WebhookSignature.SignatureHeader, signature);
            using var response = await http.SendAsync(request);
            return response.StatusCode;
        }
    }

    private static async Task GreetAsync(Uri server, string key, TextWriter Out)
    {
        using var client = new OpenWopClient(new OpenWopOptions { BaseAddress = server, ApiKey = key });

        var workflow = await client.Workflows.CreateAsync("Greeting");
        var operations = JsonElement.Parse("""
            [{"operation_type":"add","block_id":"hello","type":"transform","params":{"template":"Hello, {{trigger.name}}!"}}]
            """);
        var patched = await client.Workflows.PatchAsync(workflow.Id, workflow.Version, operations);
        Out.WriteLine(patched.Summary);

        var inputs = JsonElement.Parse("""{"name":"Ada"}""");
        var run = await client.Runs.CreateAsync(new NewRun { WorkflowId = workflow.Id, Inputs = inputs });
        await foreach (var runEvent in client.Runs.StreamAsync(run.RunId))
            Out.WriteLine($"{runEvent.Sequence} {runEvent.Type} {runEvent.NodeId}");
    }

    private static async Task<IResult> ReceiveAsync(HttpRequest request, string secret)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (!WebhookSignature.Verify(secret, name => request.Headers[name], body.ToArray()))
            return Results.Unauthorized();

        return Results.Ok();
    }

    /// <summary>A file of the repository.</summary>
    private static Task<string> ReadAsync(string path)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "OpenWop.Micro.sln")))
            root = root.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return File.ReadAllTextAsync(Path.Combine(root.FullName, path));
    }

    /// <summary>Code without its indentation.</summary>
    private static string Lines(string code) => string.Join('\n', code.Trim().Split('\n').Select(line => line.Trim()));
}
