using System.Diagnostics;
using System.Text.Json;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>Our client and the server of another implementation.</summary>
public sealed class NodeServerInteropTests(NodeServerInteropTests.NodeServer server) : InteropCases, IClassFixture<NodeServerInteropTests.NodeServer>
{
    private protected override Protos.Interop.InteropClient Client => server.Client.Interop;

    private protected override UnimplementedService.UnimplementedServiceClient Stranger => server.Client.Stranger;

    public sealed class NodeServer : IAsyncLifetime
    {
        private Process _process = null!;

        internal ClientHost Client { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _process = await NodeTools.StartAsync("server.mjs");
            var line = await _process.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException($"The server did not start: {await _process.StandardError.ReadToEndAsync()}");
            using var started = JsonDocument.Parse(line);
            Client = new ClientHost([new Uri($"http://127.0.0.1:{started.RootElement.GetProperty("port").GetInt32()}")]);
        }

        public async Task DisposeAsync()
        {
            await Client.DisposeAsync();
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
