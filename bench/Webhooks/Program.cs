// How long an event takes to its receiver, how many deliveries a worker makes and what they cost, and what a receiver that hangs does to
// the others. Feed, worker and receivers share one process.
// Run with: dotnet run -c Release --project bench/Webhooks [events] [webhooks] [seconds]   (defaults: 5000, 4, 8)
using System.Globalization;
using OpenWop.Micro.Bench.Webhooks;
using OpenWop.Micro.Testing;

var events = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
var webhooks = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 4;
var seconds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 8;

await using var postgres = await PostgreSqlServer.StartAsync();
(string Name, string[] Settings)[] databases = [("SQLite", []), ("PostgreSQL", [$"OPENWOP_POSTGRES={postgres.ConnectionString}"])];

Console.WriteLine($"{"",-12}{"median ms",11}{"p99 ms",9}{"deliveries",12}{"per second",12}{"CPU s per 1000",16}");
foreach (var (name, settings) in databases)
    await Throughput.MeasureAsync(name, settings, events, webhooks);

Console.WriteLine();
Console.WriteLine($"{"",-12}{"one hangs",11}{"deliveries",12}{"median ms",11}{"p99 ms",9}");
foreach (var (name, settings) in databases)
    await Neighbours.MeasureAsync(name, settings, seconds);
