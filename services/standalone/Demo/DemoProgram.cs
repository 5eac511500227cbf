using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Standalone.Demo;

/// <summary>
/// <c>--demo</c>: a server with temporary data and a key of its own, which runs a sample workflow through its own public surface and
/// then keeps serving, so that whoever started it can go on by hand.
/// </summary>
internal static class DemoProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        var data = Directory.CreateTempSubdirectory("openwop-demo-");
        try
        {
            var key = ApiKeyText.Create(isTest: true);
            // Arguments of the caller come last and win.
            await using var app = StandaloneHost.Create(
            [
                "--urls=http://127.0.0.1:0", $"--data={data.FullName}", $"--OPENWOP_API_KEY={key}",
                $"--{Settings.LogLevel}=Warning", $"--{Settings.LogFormat}=simple",
                .. args,
            ]);
            await app.StartAsync();

            var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            var stopping = app.Lifetime.ApplicationStopping;
            try
            {
                using var client = new HttpClient { BaseAddress = new Uri(url), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
                await new DemoRun(client, Console.Out).RunAsync(stopping);
                await Console.Out.WriteLineAsync($"""

                    Serving at {url}
                    Key        {key}

                    Try it:
                      curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
                        -d '{DemoRun.CreateBody}' {url}/v1/runs

                    Ctrl-C ends the demo and removes its data.
                    """);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Asked to stop in the middle of the sample run.
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }
}
