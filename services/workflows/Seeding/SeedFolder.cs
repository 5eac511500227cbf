using System.Text.Json;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Workflows.Api;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Seeding;

/// <summary>
/// Prepares the database and seeds it from the folder <c>OPENWOP_FIXTURES</c>: every <c>*.json</c> at its top level that is a
/// valid definition becomes a definition that all tenants can read and run. A file that has not changed makes no new version; a
/// file that is not valid is named in the log and passed over.
/// </summary>
internal sealed partial class SeedFolder(Database database, WorkflowStore store, IConfiguration configuration, ILogger<SeedFolder> logger) : IHostedService
{
    public const string Setting = "OPENWOP_FIXTURES";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Migrations.ApplyAsync(database, typeof(SeedFolder).Assembly, cancellationToken);
        if (configuration[Setting] is not { Length: > 0 } folder)
        {
            return;
        }

        var seeded = 0;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            seeded += await SeedAsync(file, cancellationToken) ? 1 : 0;
        }

        Log.Seeded(logger, seeded, folder);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> SeedAsync(string file, CancellationToken cancellationToken)
    {
        var document = await File.ReadAllBytesAsync(file, cancellationToken);
        if (IdOf(document) is not { } workflowId)
        {
            Log.NotADefinition(logger, file);
            return false;
        }

        if (DefinitionCheck.Validate(workflowId, document) is { } error)
        {
            Log.Invalid(logger, file, error.Message);
            return false;
        }

        await store.PutAsync(WorkflowStore.SeedOwner, workflowId, document, new Expectation(null, false), requestId: null, "seed", cancellationToken);
        return true;
    }

    private static string? IdOf(byte[] document)
    {
        try
        {
            var root = JsonElement.Parse(document);
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("id", out var id) ? id.GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Count} definitions seeded from {Folder}")]
        public static partial void Seeded(ILogger logger, int count, string folder);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{File} is not a workflow definition; passed over")]
        public static partial void NotADefinition(ILogger logger, string file);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{File} passed over: {Reason}")]
        public static partial void Invalid(ILogger logger, string file, string reason);
    }
}
