using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace OpenWop.Micro.Gateway.Rejections;

/// <summary>
/// Gives what the server's HTTP parser refuses (before there is a request that any middleware could see) the error envelope that every
/// other refusal has (spec/http-core.md 1).
/// </summary>
/// <remarks>
/// The server answers such a connection by itself, without a body, and closes it. It tells of the refusal just before, by a diagnostic
/// event:
/// <list type="number">
/// <item>Each connection gets a <see cref="RejectionWriter"/> between the server and the socket, which passes everything on.</item>
/// <item>The event tells the writer of its connection to hold back what comes next.</item>
/// <item>What comes next is the head of the server's answer; the writer completes it with a body.</item>
/// </list>
/// Where the server itself ends TLS the writer sees ciphertext and changes nothing; HTTP/2 has no answer to a connection that is none.
/// </remarks>
internal static class RejectedRequests
{
    public static void AddAnswersToRejectedRequests(this IServiceCollection services) => services.AddHostedService<Observer>();

    /// <summary>Step 1, for one endpoint.</summary>
    public static ListenOptions AnswerRejectedRequests(this ListenOptions endpoint)
    {
        endpoint.Use(next => async connection =>
        {
            var transport = connection.Transport;
            var writer = new RejectionWriter(transport.Output);
            connection.Features.Set(writer);
            connection.Transport = new WrittenThrough(transport.Input, writer);
            try
            {
                await next(connection);
            }
            finally
            {
                connection.Transport = transport;
            }
        });
        return endpoint;
    }

    /// <summary>Step 2. The event comes on the connection's own thread, before the answer is written.</summary>
    private sealed class Observer(DiagnosticListener diagnostics) : IHostedService, IObserver<KeyValuePair<string, object?>>
    {
        private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

        private IDisposable? _subscription;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            _subscription = diagnostics.Subscribe(this, static name => name == BadRequest);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            _subscription?.Dispose();
            return Task.CompletedTask;
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Value is IFeatureCollection features && features.Get<RejectionWriter>() is { } writer)
                writer.Rejected(hasBody: !HttpMethods.IsHead(features.Get<IHttpRequestFeature>()?.Method ?? ""));
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class WrittenThrough(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
