// What editing costs on the embedded host, over HTTP:
//   patches per second of many workflows at once; a patch of 1,000 operations, the first one of the process included; and whether a
//   patch gets dearer with the versions that its workflow has.
// Usage: dotnet run -c Release --project bench/Control [patches] [clients] [versions]   (defaults: 5000, 16, 1000)
using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Bench.Control;
using OpenWop.Micro.Bench.Runs;

var patches = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
var clients = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 16;
var versions = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1000;
const int Large = 20;

Environment.SetEnvironmentVariable("BENCH_HOST", Environment.GetEnvironmentVariable("BENCH_HOST") ?? HostAssembly());
await using var host = await EmbeddedHost.StartAsync();
using var editor = new Editor(host.Url, EmbeddedHost.Key, clients);

// 1. A large patch, while nothing is warm, and again.
List<string> empty = [];
for (var i = 0; i <= Large; i++)
    empty.Add(await editor.CreateAsync());
var made = 0;
var large = await TimesAsync(Large, () => editor.PatchAsync(empty[made++], 1, Operations.Chain(500)));
Console.WriteLine($"1,000 operations, empty workflow: first {large[0],4:0} ms, then {Percentiles(large[1..])}");
var id = empty[made];
var version = await editor.PatchAsync(id, 1, Operations.Chain(500));
var changes = await TimesAsync(Large, async () => version = await editor.PatchAsync(id, version, Operations.Edits(1000, of: 500)));
Console.WriteLine($"1,000 operations on 500 blocks:            {Percentiles(changes)}");
var one = await TimesAsync(10 * Large, async () => version = await editor.PatchAsync(id, version, Operations.Edits(1, of: 500)));
Console.WriteLine($"1 operation on 500 blocks:                 {Percentiles(one)}");

// 2. Many workflows at once, one operation each time.
var perClient = patches / clients;
var clock = Stopwatch.StartNew();
var latencies = await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
{
    var mine = await editor.CreateAsync();
    var at = await editor.PatchAsync(mine, 1, Operations.Chain(10));
    return await TimesAsync(perClient, async () => at = await editor.PatchAsync(mine, at, Operations.Edits(1, of: 10)));
}));
Console.WriteLine($"{clients} clients, 1 operation on 10 blocks: {perClient * clients / clock.Elapsed.TotalSeconds,6:0} patches/s, {Percentiles([.. latencies.SelectMany(list => list)])}");

// 3. One workflow and all its versions.
var old = await editor.CreateAsync();
var now = await editor.PatchAsync(old, 1, Operations.Chain(10));
var history = await TimesAsync(versions, async () => now = await editor.PatchAsync(old, now, Operations.Edits(1, of: 10)));
var part = Math.Max(1, versions / 10);
Console.WriteLine($"1 client, versions 1 to {part}:    {Percentiles(history[..part])}");
Console.WriteLine($"1 client, the last {part} of {versions}: {Percentiles(history[^part..])}");

static async Task<double> TimeAsync(Func<Task> act)
{
    var start = Stopwatch.GetTimestamp();
    await act();
    return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
}

static async Task<double[]> TimesAsync(int count, Func<Task> act)
{
    var times = new double[count];
    for (var i = 0; i < count; i++)
        times[i] = await TimeAsync(act);
    return times;
}

static string Percentiles(double[] times)
{
    var sorted = times.Order().ToArray();
    return $"p50 {sorted[sorted.Length / 2],6:0.0} ms, p99 {sorted[(int)(sorted.Length * 0.99)],6:0.0} ms";
}

static string HostAssembly()
{
    var folder = new DirectoryInfo(AppContext.BaseDirectory);
    while (!File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
        folder = folder.Parent ?? throw new InvalidOperationException("The repository is not around the bench.");
    return Path.Combine(folder.FullName, "services", "standalone", "bin", "Release", "net10.0", "OpenWop.Micro.Standalone.dll");
}
