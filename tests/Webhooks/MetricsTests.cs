using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Telemetry;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Webhooks.Tests;

/// <summary>The numbers that the service shows of itself.</summary>
public sealed class MetricsTests
{
    [Fact]
    public async Task Attempts_dead_letters_and_what_waits_are_counted()
    {
        await using var host = await WebhooksHost.StartAsync(["OPENWOP_WEBHOOK_MAX_ATTEMPTS=1", "OPENWOP_WEBHOOK_CONCURRENCY=1"]);
        await using var receiver = await Receiver.StartAsync();
        var isDown = true;
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = isDown ? 503 : 200;
            return Task.CompletedTask;
        };
        using var numbers = new Numbers(host.Services.GetRequiredService<IMeterFactory>());
        var webhook = await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(() => numbers.Sum("openwop.webhook.dead_letters") == 1);
        isDown = false;
        host.Feed.Commit("run-1");
        await Eventually.TrueAsync(() => numbers.Sum("openwop.webhook.attempts") == 2);
        await Eventually.TrueAsync(() => numbers.Sum("openwop.webhook.delivery.lag") is not null);

        // What waits for a receiver that hangs.
        receiver.Answer = (_, context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        for (var i = 2; i < 12; i++)
            host.Feed.Commit($"run-{i}");

        var probe = host.Services.GetServices<IHostedService>().OfType<QueueProbe>().Single();
        await Eventually.TrueAsync(async () =>
        {
            await probe.LookAsync(CancellationToken.None);
            return numbers.Observe("openwop.webhook.queue.depth") == 10;
        });
        host.Time.Advance(TimeSpan.FromSeconds(14));
        await probe.LookAsync(CancellationToken.None);
        Assert.InRange(numbers.Observe("openwop.webhook.queue.delay"), 13.9, 14.1);
        Assert.NotEmpty(webhook.WebhookId);
    }

    /// <summary>Listens to one host's meter.</summary>
    private sealed class Numbers : IDisposable
    {
        private readonly Dictionary<string, double> _sums = [];
        private readonly Dictionary<string, double> _observed = [];
        private readonly MeterListener _listener = new();

        public Numbers(IMeterFactory meters)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == WebhookMetrics.MeterName && instrument.Meter.Scope == meters)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
            _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
            _listener.Start();
        }

        public double? Sum(string name)
        {
            lock (_sums)
                return _sums.TryGetValue(name, out var sum) ? sum : null;
        }

        public double Observe(string name)
        {
            _listener.RecordObservableInstruments();
            lock (_sums)
                return _observed[name];
        }

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value)
        {
            lock (_sums)
            {
                _sums[instrument.Name] = _sums.GetValueOrDefault(instrument.Name) + value;
                _observed[instrument.Name] = value;
            }
        }
    }
}
