using Microsoft.Data.Sqlite;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Backups of the embedded host as docs/operations.md describes them.</summary>
public sealed class BackupTests
{
    private const string Gate = """{"id":"gate","typeId":"core.approvalGate"}""";

    [Fact]
    public async Task A_copy_that_was_made_while_the_host_ran_goes_on_by_itself()
    {
        var folder = Directory.CreateTempSubdirectory("openwop-runs-").FullName;
        var copy = Directory.CreateTempSubdirectory("openwop-copy-").FullName;
        await using var host = await EngineHost.StartAsync([], folder);
        var runId = await host.StoreAndCreateAsync("waits", Gate, "", "{}", "{}");
        await Eventually.TrueAsync(async () => await host.StatusAsync(runId) == "waiting-approval");

        var busy = Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
                await host.CreateAsync("""{"workflowId":"waits"}""");
        });
        foreach (var file in new DirectoryInfo(folder).GetFiles())
        {
            if (file.Extension == ".db")
                await CopyAsync(file.FullName, Path.Combine(copy, file.Name));
            else if (!file.Name.Contains(".db", StringComparison.Ordinal))
                file.CopyTo(Path.Combine(copy, file.Name));
        }

        await busy;
        await using var restored = await EngineHost.StartAsync([], copy);
        Assert.Equal("waiting-approval", await restored.StatusAsync(runId));
        await restored.AnswerAsync(runId, "gate", """{"action":"accept"}""");
        await Eventually.TrueAsync(async () => await restored.StatusAsync(runId) == "completed");
        Assert.Equal("waiting-approval", await host.StatusAsync(runId));
    }

    private static async Task CopyAsync(string source, string target)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = source, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "VACUUM INTO $target";
        command.Parameters.AddWithValue("$target", target);
        await command.ExecuteNonQueryAsync();
    }
}
