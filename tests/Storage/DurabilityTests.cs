using System.Diagnostics;
using System.Globalization;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

public sealed class DurabilityTests
{
    [Fact]
    public async Task Every_acknowledged_row_survives_killing_the_process()
    {
        using var folder = new TempFolder();
        var path = folder.File("crash.db");
        var acknowledged = new List<long>();

        for (var round = 0; round < 3; round++)
        {
            await using (var fresh = Database.Create(DatabaseOptions.Sqlite(path)))
            {
                await Migrations.ApplyAsync(fresh, typeof(DurabilityTests).Assembly, CancellationToken.None);
                await fresh.WriteAsync(session => session.ExecuteAsync("DELETE FROM rows"), CancellationToken.None);
            }

            acknowledged.Clear();
            using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(DurabilityTests).Assembly.Location, "crash-writer", path])
            {
                RedirectStandardOutput = true,
            })!;

            while (acknowledged.Count < 500 * (round + 1) && await process.StandardOutput.ReadLineAsync() is { } line)
                acknowledged.Add(long.Parse(line, CultureInfo.InvariantCulture));

            process.Kill(); // SIGKILL
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                // The last line may be cut in the middle; a shorter number is an older, acknowledged id.
                if (line.Length > 0)
                    acknowledged.Add(long.Parse(line, CultureInfo.InvariantCulture));
            }

            await process.WaitForExitAsync();

            await using var reopened = Database.Create(DatabaseOptions.Sqlite(path));
            await using var session = await reopened.OpenReadAsync(CancellationToken.None);
            Assert.Equal("ok", await session.ScalarAsync<string>("PRAGMA integrity_check"));
            var stored = new HashSet<long>();
            await using var reader = await session.QueryAsync("SELECT id FROM rows");
            while (await reader.ReadAsync())
                stored.Add(reader.GetInt64(0));

            Assert.True(acknowledged.Count >= 500);
            Assert.Subset(stored, acknowledged.ToHashSet());
        }
    }
}
