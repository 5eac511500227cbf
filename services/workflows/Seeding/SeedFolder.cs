using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Seeding;

/// <summary>
/// Seeds the database from the folder <c>OPENWOP_FIXTURES</c>: every <c>*.json</c> at its top level that is a valid definition
/// becomes one that all tenants can read and run. A file that has not changed makes no new version. A file that cannot be used is
/// named in the log with the reason, and passed over: the others, and the service, do not depend on it.
/// </summary>
internal sealed partial class SeedFolder(WorkflowStore store, IConfiguration configuration, ILogger<SeedFolder> logger) : IHostedLifecycleService
{
    public const string Setting = "OPENWOP_FIXTURES";

    /// <summary>Before anything else starts: whoever lists definitions, health checks included, finds all of them.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (configuration[Setting] is not { Length: > 0 } folder)
            return;

        if (!Directory.Exists(folder))
        {
            Log.NoFolder(logger, folder);
            return;
        }

        var seeded = 0;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            seeded += await SeedAsync(file, cancellationToken) ? 1 : 0;
        }

        Log.Seeded(logger, seeded, folder);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> SeedAsync(string file, CancellationToken cancellationToken)
    {
        byte[] document;
        try
        {
            document = new FileInfo(file).Length <= WorkflowLimits.Document.MaxBytes ? await File.ReadAllBytesAsync(file, cancellationToken) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.PassedOver(logger, file, exception.Message);
            return false;
        }

        var validated = WorkflowValidator.Validate(document);
        if (validated.Definition is not { } definition)
        {
            Log.PassedOver(logger, file, document.Length == 0 ? "the file is empty or too large" : Describe(validated));
            return false;
        }

        await store.PutAsync(WorkflowStore.SeedOwner, definition.Id, document, Expectation.None, requestId: null, "seed", cancellationToken);
        return true;
    }

    private static string Describe(ValidatedDefinition validated) =>
        string.Join("; ", validated.Errors.Take(5).Select(error => $"{error.Path}: {error.Message}"));

    private static partial class Log
    {
        [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "{Count} definitions seeded from {Folder}.")]
        public static partial void Seeded(ILogger logger, int count, string folder);

        [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "{File} passed over: {Reason}")]
        public static partial void PassedOver(ILogger logger, string file, string reason);

        [LoggerMessage(EventId = 3003, Level = LogLevel.Error, Message = "There is no folder {Folder} to seed from.")]
        public static partial void NoFolder(ILogger logger, string folder);
    }
}
