using System.Diagnostics;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Grpc.Bench;
using OpenWop.Micro.Grpc.Bench.Protos;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;

// What a call costs over each way to make it, one caller at a time and sixteen at once. Prints a table.
// Run with: dotnet run -c Release --project bench/Grpc

await using var shared = await StartServerAsync(sharedPort: true);
await using var plain = await StartServerAsync(sharedPort: false);

var ways = new (string Name, Echo.EchoClient Client)[]
{
    ("in process", new Echo.EchoClient(new InProcessCallInvoker(shared.Services.GetRequiredService<InProcessServer>()))),
    ("h2c, shared port", NetworkClient(shared)),
    ("h2c, HTTP/2-only port", NetworkClient(plain)),
};

// Once to warm up everything, once to count.
foreach (var (_, client) in ways)
    await ReportAsync("warm-up", client);

Console.WriteLine($"{"",-24}{"unary",12}{"allocated",12}{"+ deadline",12}{"16 callers",14}{"stream",14}{"ping-pong",12}");
foreach (var (name, client) in ways)
    Console.WriteLine(await ReportAsync(name, client));

static async Task<string> ReportAsync(string name, Echo.EchoClient client)
{
    var request = new Message { Id = "run-01", Sequence = 1, Body = ByteString.CopyFrom(new byte[1024]) };
    var (unary, bytes) = await MeasureAsync(20_000, () => client.OnceAsync(request).ResponseAsync);
    var (deadline, _) = await MeasureAsync(20_000, () => client.OnceAsync(request, deadline: DateTime.UtcNow.AddMinutes(1)).ResponseAsync);
    var concurrent = await MeasureConcurrentAsync(16, 5_000, () => client.OnceAsync(request).ResponseAsync);
    var stream = await MeasureStreamAsync(client, 100_000);
    var chat = await MeasureChatAsync(client, 10_000);
    return $"{name,-24}{unary.TotalMicroseconds,9:F1} us{bytes,10:F0} B{deadline.TotalMicroseconds,9:F1} us{concurrent,10:F0} /s{stream,10:F0} /s{chat.TotalMicroseconds,9:F1} us";
}

static async Task<WebApplication> StartServerAsync(bool sharedPort)
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders();
    builder.WebHost.UseUrls("http://127.0.0.1:0");
    if (sharedPort)
        builder.WebHost.UseSharedPorts();
    else
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
    builder.Services.AddGrpcServer();
    var app = builder.Build();
    app.MapServiceOverGrpc<EchoService>();
    await app.StartAsync();
    return app;
}

static Echo.EchoClient NetworkClient(WebApplication server)
{
    var services = new ServiceCollection().AddLogging();
    services.AddServiceGrpcClient<Echo.EchoClient>("echo", options => options.Addresses = (_, _) => ServiceAddresses.Parse(server.Urls.Single()));
    return services.BuildServiceProvider().GetRequiredService<Echo.EchoClient>();
}

static async Task<(TimeSpan PerCall, double BytesPerCall)> MeasureAsync(int calls, Func<Task> call)
{
    for (var i = 0; i < calls / 2; i++)
        await call();

    var allocated = GC.GetTotalAllocatedBytes(precise: true);
    var started = Stopwatch.GetTimestamp();
    for (var i = 0; i < calls; i++)
        await call();

    return (Stopwatch.GetElapsedTime(started) / calls, (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / calls);
}

static async Task<double> MeasureConcurrentAsync(int callers, int callsEach, Func<Task> call)
{
    var started = Stopwatch.GetTimestamp();
    await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
    {
        for (var i = 0; i < callsEach; i++)
            await call();
    })));
    return callers * callsEach / Stopwatch.GetElapsedTime(started).TotalSeconds;
}

static async Task<double> MeasureStreamAsync(Echo.EchoClient client, int messages)
{
    var started = Stopwatch.GetTimestamp();
    using var call = client.Many(new Count { Messages = messages, BodySize = 256 });
    while (await call.ResponseStream.MoveNext(CancellationToken.None))
    {
    }

    return messages / Stopwatch.GetElapsedTime(started).TotalSeconds;
}

static async Task<TimeSpan> MeasureChatAsync(Echo.EchoClient client, int rounds)
{
    var message = new Message { Id = "ping" };
    using var call = client.Chat();
    var started = Stopwatch.GetTimestamp();
    for (var i = 0; i < rounds; i++)
    {
        await call.RequestStream.WriteAsync(message);
        await call.ResponseStream.MoveNext(CancellationToken.None);
    }

    var perRound = Stopwatch.GetElapsedTime(started) / rounds;
    await call.RequestStream.CompleteAsync();
    return perRound;
}
