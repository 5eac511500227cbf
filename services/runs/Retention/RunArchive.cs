using System.IO.Compression;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Retention;

/// <summary>
/// Copies of removed runs: one gzip file per run, a line per event as it was sent, in a folder per tenant. A file appears under its
/// name only when it is whole and on the disk; writing it again changes nothing.
/// </summary>
internal sealed class RunArchive(RunStore store, string folder)
{
    private const int PageSize = 500;

    public async Task WriteAsync(string runId, string tenant, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(folder, Uri.EscapeDataString(tenant).Replace(".", "%2E", StringComparison.Ordinal)));
        var path = Path.Combine(directory.FullName, $"{runId}.jsonl.gz");
        if (File.Exists(path))
        {
            return;
        }

        var unfinished = path + ".tmp";
        await using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await using (var compressed = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
            {
                await WriteEventsAsync(compressed, runId, cancellationToken);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    private async Task WriteEventsAsync(Stream output, string runId, CancellationToken cancellationToken)
    {
        for (var after = -1L; ;)
        {
            var page = await store.ReadEventsAsync(runId, after, PageSize, cancellationToken);
            foreach (var @event in page)
            {
                await output.WriteAsync(@event.Document, cancellationToken);
                await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
            }

            if (page.Count < PageSize)
            {
                return;
            }

            after = page[^1].Sequence;
        }
    }
}
