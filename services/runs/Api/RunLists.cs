using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Api;

/// <summary>Lists of runs and of their attempts, in pages with opaque cursors.</summary>
internal sealed class RunLists(RunListing listing, RunDocuments documents, RunRegistry registry, RunStore store)
{
    private const int MaxLimit = 200;

    /// <summary>Runs of an owner, newest first.</summary>
    public async Task<ListRunsReply> RunsAsync(RunOwner owner, ListRunsRequest request, CancellationToken cancellationToken)
    {
        var limit = LimitOf(request.Limit);
        if (request.State.Length > 0 && !RunDescription.States.Contains(request.State))
            throw new ProtocolException(ProtocolError.Validation($"'state' must be one of: {string.Join(", ", RunDescription.States)}.", "state"));

        var filter = new RunFilter(Filled(request.State), Filled(request.WorkflowId), Filled(request.Tag));
        var page = await listing.ListAsync(owner.Tenant, owner.IsTest, filter, ReadCursor(request.After), limit + 1, cancellationToken);
        var reply = new ListRunsReply { Next = page.Count > limit ? WriteCursor(page[limit - 1].Cursor) : "" };
        foreach (var (cursor, stored) in page.Take(limit))
        {
            // Runs that are at work are in memory here, or their log is a little longer than their state.
            var state = stored ?? registry.StateOf(cursor.RunId) ?? await store.LoadStateAsync(cursor.RunId, cancellationToken);
            reply.Items.Add(UnsafeByteOperations.UnsafeWrap(RunDescription.Write(cursor.RunId, state)));
        }

        return reply;
    }

    /// <summary>Attempts of a run, oldest first.</summary>
    public async Task<ListRunsReply> AttemptsAsync(string runId, ListAttemptsRequest request, CancellationToken cancellationToken)
    {
        var limit = LimitOf(request.Limit);
        var after = -1L;
        if (request.After.Length > 0 && !long.TryParse(request.After, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw BadCursor();

        var rows = await documents.AttemptsAsync(runId, after, limit + 1, cancellationToken);
        var reply = new ListRunsReply { Next = rows.Count > limit ? rows[limit - 1].Sequence.ToString(CultureInfo.InvariantCulture) : "" };
        reply.Items.AddRange(rows.Take(limit).Select(row => UnsafeByteOperations.UnsafeWrap(row.Json)));
        return reply;
    }

    private static int LimitOf(int limit) =>
        limit is >= 1 and <= MaxLimit ? limit : throw new ProtocolException(ProtocolError.Validation($"'limit' must be from 1 to {MaxLimit}.", "limit"));

    private static string WriteCursor(RunCursor cursor) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{cursor.CreatedAt}:{cursor.RunId}")));

    private static RunCursor ReadCursor(string text)
    {
        if (text.Length == 0)
            return RunCursor.Start;
        if (!Base64Url.IsValid(text))
            throw BadCursor();

        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(':', 2);
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var at) && !parts[1].Contains('\0', StringComparison.Ordinal)
            ? new RunCursor(at, parts[1])
            : throw BadCursor();
    }

    private static ProtocolException BadCursor() => new(ProtocolError.Validation("'after' must be the cursor of a page.", "after"));

    private static string? Filled(string text) => text.Length == 0 ? null : text;
}
