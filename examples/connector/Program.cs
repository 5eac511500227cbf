using OpenWop.Micro.Connectors;
using OpenWop.Micro.Examples.Connector;
using OpenWop.Micro.Standalone;

// All services in one process, with one more block type.
await using var app = StandaloneHost.Create(args, builder =>
{
    builder.Services.AddHttpClient(SmsConnector.Client, (provider, client) =>
        client.BaseAddress = new Uri(provider.GetRequiredService<IConfiguration>()["SMS_GATEWAY_URL"] ?? "http://127.0.0.1:9090"));
    builder.Services.AddConnector<SmsConnector>();
});
await app.RunAsync();
