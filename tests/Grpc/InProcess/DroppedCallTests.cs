using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.InProcess;

/// <summary>Runs alone, because unobserved failures are a matter of the whole process.</summary>
[CollectionDefinition(nameof(DroppedCallTests), DisableParallelization = true)]
[Collection(nameof(DroppedCallTests))]
public sealed class DroppedCallTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Calls_that_are_dropped_leave_no_unobserved_failure()
    {
        await using var services = new ServiceCollection().AddLogging().AddSingleton<Script>().AddScoped<ScopedPart>().AddInProcessGrpc().BuildServiceProvider();
        var server = services.GetRequiredService<InProcessServer>();
        server.MapService<ScriptedService>();
        var client = new Protos.Interop.InteropClient(new InProcessCallInvoker(server));
        var script = services.GetRequiredService<Script>();

        // What other tests left behind is not ours.
        FinalizeTasks();
        var unobserved = new List<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, failure) => unobserved.Add(failure.Exception);
        TaskScheduler.UnobservedTaskException += note;
        try
        {
            await DropRunningCallAsync(client, script);
            DropFailedCall(client, script);
            FinalizeTasks();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= note;
        }

        Assert.Empty(unobserved);
    }

    private static async Task DropRunningCallAsync(Protos.Interop.InteropClient client, Script script)
    {
        var cancelled = new TaskCompletionSource();
        script.Unary = async (_, context) =>
        {
            context.CancellationToken.Register(cancelled.SetResult);
            await cancelled.Task;
            return new UnaryResponse();
        };
        client.UnaryCallAsync(new UnaryRequest()).Dispose();
        await cancelled.Task.WaitAsync(Patience);
    }

    private static void DropFailedCall(Protos.Interop.InteropClient client, Script script)
    {
        script.Unary = (_, _) => throw new RpcException(new Status(StatusCode.Aborted, "dropped"));
        client.UnaryCallAsync(new UnaryRequest()).Dispose();
    }

    private static void FinalizeTasks()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
