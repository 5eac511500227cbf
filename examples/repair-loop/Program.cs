using System.Text.Json;
using OpenWop.Micro.Client;
using OpenWop.Micro.Examples.RepairLoop;

if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine("""
        Makes a workflow from a sentence, and runs it, with an input if need be:

          repair-loop "Wait a second, then greet by name whoever asked" '{"name":"Ada"}'

          OPENWOP_SERVER, OPENWOP_KEY   the workflow server and a key (default server http://127.0.0.1:8080)
          MODEL_URL, MODEL, MODEL_KEY   an endpoint that speaks OpenAI's chat completions (default https://api.openai.com/v1)
        """);
    return 2;
}

string Setting(string name, string fallback) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : fallback;

using var server = new OpenWopClient(new OpenWopOptions
{
    BaseAddress = new Uri(Setting("OPENWOP_SERVER", "http://127.0.0.1:8080")),
    ApiKey = Environment.GetEnvironmentVariable("OPENWOP_KEY"),
});
using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
var model = new ChatModel(http, new Uri(Setting("MODEL_URL", "https://api.openai.com/v1")), Setting("MODEL", "gpt-4.1"), Environment.GetEnvironmentVariable("MODEL_KEY"));
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};

JsonElement? input = args.Length == 2 ? JsonElement.Parse(args[1]) : null;
var result = await new RepairLoop(server, model, Console.Out).RunAsync(args[0], input, interrupted.Token);
return result.Run?.Status == "completed" ? 0 : 1;
