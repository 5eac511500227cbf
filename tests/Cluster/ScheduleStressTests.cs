using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Cluster.Tests.Load;
using OpenWop.Micro.ClusterTool;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>
/// Four schedulers that are killed at random, and the real engine. The large form, by hand: <c>OPENWOP_STRESS_SLOTS=10000</c>.
/// </summary>
[Collection(WithCluster.Name)]
public sealed class ScheduleStressTests(ITestOutputHelper output)
{
    private const int Schedulers = 4;

    private static readonly int Slots = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_STRESS_SLOTS") ?? "200", CultureInfo.InvariantCulture);

    /// <summary>One per second and schedule.</summary>
    private static readonly int SlotsPerSchedule = Slots < 2_000 ? 10 : 100;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120 + (Slots / 20));

    [Fact]
    public async Task Every_slot_makes_exactly_one_run_whichever_scheduler_dies()
    {
        var random = FaultSeed.Next(output);
        var cluster = await LocalCluster.UpAsync(new ClusterOptions
        {
            Folder = Path.Combine(Path.GetTempPath(), "openwop-schedules-" + Guid.NewGuid().ToString("N")[..8]),
            Settings = new Dictionary<string, string> { ["OPENWOP_SCHEDULER_LEASE_SECONDS"] = "2", ["OPENWOP_RATELIMIT_DISABLED"] = "true", ["OPENWOP_LOG_LEVEL"] = "Error" },
        }.With("runs", 1).With("gateway", 1).With("webhooks", 0).With("scheduler", Schedulers));
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(cluster.Of("gateway")[0].Url) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key);
            await CallAsync(client, HttpMethod.Put, "/v1/workflows/slot", """
                {"id":"slot","name":"slot","version":"1.0","nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":0,"y":0},"inputs":{},"config":{}}],
                 "edges":[],"triggers":[{"id":"manual","type":"manual"}],"variables":[],"metadata":{},"settings":{}}
                """);

            var first = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()).AddSeconds(5 + (Slots / SlotsPerSchedule / 10));
            var last = first.AddSeconds(SlotsPerSchedule - 1);
            var schedules = new List<string>();
            for (var i = 0; i < Slots / SlotsPerSchedule; i++)
            {
                schedules.Add((await CallAsync(
                    client,
                    HttpMethod.Post,
                    "/api/schedules",
                    $$"""{"workflowId":"slot","everyMs":1000,"startAt":"{{Format(first)}}","endAt":"{{Format(last)}}","misfirePolicy":"fire_all","misfireLimit":1000}""")).GetProperty("id").GetString()!);
            }

            var kills = 0;
            for (; kills < 2 || DateTimeOffset.UtcNow < last; kills++)
            {
                await Task.Delay(random.Next(100, 2_000));
                var victim = $"scheduler-{random.Next(1, Schedulers + 1)}";
                await cluster[victim].KillAsync();
                await cluster.RestartAsync(victim);
            }

            var started = Stopwatch.GetTimestamp();
            var fired = new HashSet<string>(StringComparer.Ordinal);
            foreach (var schedule in schedules)
            {
                List<JsonElement> fires;
                while ((fires = await ListAsync(client, $"/api/schedules/{schedule}/fires")).Count(fire => fire.GetProperty("status").GetString() == "fired") < SlotsPerSchedule)
                {
                    Assert.True(Stopwatch.GetElapsedTime(started) < Limit, $"{schedule}: {fires.Count} slots, {fires.Count(fire => fire.TryGetProperty("runId", out _))} runs");
                    await Task.Delay(200);
                }

                Assert.Equal(SlotsPerSchedule, fires.Select(fire => fire.GetProperty("slot").GetString()).Distinct().Count());
                fired.UnionWith(fires.Select(fire => fire.GetProperty("runId").GetString()!));
            }

            // What the engine has, not what the schedulers believe.
            var runs = (await ListAsync(client, "/api/runs?workflowId=slot")).ConvertAll(run => run.GetProperty("id").GetString()!);
            Assert.Equal(fired.Order(StringComparer.Ordinal), runs.Order(StringComparer.Ordinal));
            Assert.Equal(schedules.Count * SlotsPerSchedule, runs.Count);
            output.WriteLine($"{runs.Count} runs of {schedules.Count} schedules, {kills} kills");
        }
        finally
        {
            await cluster.DownAsync();
        }
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static async Task<List<JsonElement>> ListAsync(HttpClient client, string path)
    {
        var all = new List<JsonElement>();
        string? after = null;
        do
        {
            var page = await CallAsync(client, HttpMethod.Get, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=200{(after is null ? "" : "&after=" + Uri.EscapeDataString(after))}");
            all.AddRange(page.GetProperty("data").EnumerateArray());
            after = page.GetProperty("pagination").GetProperty("next").GetString();
        }
        while (after is not null);

        return all;
    }

    private static async Task<JsonElement> CallAsync(HttpClient client, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }
}
