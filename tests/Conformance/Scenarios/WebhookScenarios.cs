using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.10: signed deliveries.</summary>
internal static class WebhookScenarios
{
    private const string Section = "7.10 Webhooks";
    private const string Noop = "conformance-noop";
    private static readonly Gate Webhooks = Gate.Family("webhooks.supported");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A webhook is registered with a secret of its own and ends", Webhooks, async suite =>
        {
            var body = new { url = "https://hooks.example.com/runs", events = new[] { "run.completed" }, tenantId = "conformance-tenant" };
            var first = (await suite.Host.PostAsync("/v1/webhooks", body)).Expecting(201).Json;
            var second = (await suite.Host.PostAsync("/v1/webhooks", body)).Expecting(201).Json;
            var secret = first.GetProperty("secret").GetString()!;
            Expect.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))[..8], first.GetProperty("secretFingerprint").GetString(), "secretFingerprint");
            Expect.That(secret != second.GetProperty("secret").GetString(), "two webhooks with one secret");
            foreach (var webhook in new[] { first, second })
                (await suite.Host.SendAsync("DELETE", PathOf(webhook), null)).Expecting(204);

            (await suite.Host.SendAsync("DELETE", PathOf(first), null)).Expecting(404);
        }),
        new(Section, "A webhook of another tenant does not exist", Webhooks.And(Gate.OtherTenantKey), async suite =>
        {
            var webhook = (await suite.Host.PostAsync("/v1/webhooks", new { url = "https://hooks.example.com/runs", events = new[] { "run.completed" } })).Expecting(201).Json;
            (await suite.OtherTenant!.SendAsync("DELETE", PathOf(webhook), null)).Expecting(404);
            (await suite.Host.SendAsync("DELETE", PathOf(webhook), null)).Expecting(204);
        }),
        new(Section, "A webhook without events is refused", Webhooks, async suite =>
        {
            (await suite.Host.PostAsync("/v1/webhooks", new { url = "https://hooks.example.com/", events = Array.Empty<string>() })).Expecting(400);
            (await suite.Host.PostAsync("/v1/webhooks", new { url = "https://hooks.example.com/" })).Expecting(400);
        }),
        new(Section, "An event is delivered with a signature that holds", Webhooks.And(Gate.Fixtures(Noop)), DeliveryAsync),
    ];

    private static string PathOf(JsonElement webhook) => $"/v1/webhooks/{webhook.GetProperty("webhookId").GetString()}";

    /// <summary>A host that calls no private addresses must say so; then there is nothing to receive.</summary>
    private static async Task DeliveryAsync(Suite suite)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook";
        var reply = await suite.Host.PostAsync("/v1/webhooks", new { url, events = new[] { "run.completed" } });
        if (reply.Status == 400)
        {
            Expect.Equal("webhook_url_rejected", reply.Json.GetProperty("error").GetString(), "error");
            return;
        }

        var webhook = reply.Expecting(201).Json;
        var runId = await suite.CompleteAsync(Noop);
        using var limit = new CancellationTokenSource(Patience);

        // Other scenarios make runs at the same time.
        while (true)
        {
            var (headers, body) = await ReceiveAsync(listener, limit.Token);
            var document = JsonElement.Parse(body);
            if (document.GetProperty("runId").GetString() != runId)
                continue;

            Expect.Equal("run.completed", document.GetProperty("type").GetString(), "type");
            Expect.Equal("v1", headers["x-openwop-signature-algorithm"], "algorithm");
            Expect.Equal(webhook.GetProperty("webhookId").GetString(), headers["x-openwop-webhook-id"], "webhook id");
            byte[] message = [.. Encoding.ASCII.GetBytes(headers["x-openwop-timestamp"] + "."), .. body];
            var expected = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(webhook.GetProperty("secret").GetString()!), message));
            Expect.Equal(expected, headers["x-openwop-signature"], "signature");
            Expect.That(Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(headers["x-openwop-timestamp"], provider: null)) < 300, "timestamp");
            break;
        }

        (await suite.Host.SendAsync("DELETE", PathOf(webhook), null)).Expecting(204);
    }

    /// <summary>Takes one request and answers 200.</summary>
    private static async Task<(Dictionary<string, string> Headers, byte[] Body)> ReceiveAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        using var client = await listener.AcceptTcpClientAsync(cancellationToken);
        await using var stream = client.GetStream();
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var line = await ReadLineAsync(stream, cancellationToken); line.Length > 0; line = await ReadLineAsync(stream, cancellationToken))
        {
            if (line.Split(": ", 2) is [var name, var value])
                headers[name] = value;
        }

        var body = new byte[int.Parse(headers["Content-Length"], provider: null)];
        await stream.ReadExactlyAsync(body, cancellationToken);
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
        return (headers, body);
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, cancellationToken) == 1 && one[0] != '\n')
        {
            if (one[0] != '\r')
                line.Append((char)one[0]);
        }

        return line.ToString();
    }
}
