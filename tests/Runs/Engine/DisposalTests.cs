using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Workflows;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class DisposalTests
{
    [Fact]
    public async Task A_host_that_is_disposed_without_having_been_stopped_reports_no_error()
    {
        using var folder = new TempFolder();
        using var log = new Recorder();
        var builder = WebApplication.CreateBuilder(["--data", folder.Path, "--urls", "http://127.0.0.1:0", "--OPENWOP_API_KEY=hk_test_0123456789abcdef0123456789abcdef"]);
        builder.AddServiceDefaults("runs");
        builder.AddKeyVerifier();
        builder.AddIdentity();
        builder.AddRuns();
        builder.AddWorkflows();
        builder.AddServiceClient<Contracts.Workflows.V1.Workflows.WorkflowsClient>("workflows");
        builder.AddServiceClient<Contracts.Runs.V1.Runs.RunsClient>("runs");
        builder.Logging.AddProvider(log);
        var app = builder.Build();
        app.MapIdentity();
        app.MapRuns();
        app.MapWorkflows();
        await app.StartAsync();

        await app.DisposeAsync();

        Assert.Empty(log.Lines);
    }

    /// <summary>Keeps what is worse than information.</summary>
    private sealed class Recorder : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
