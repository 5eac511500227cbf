using System.Globalization;
using OpenWop.Micro.Client.Runs;

namespace OpenWop.Micro.Cli.Output;

/// <summary>How far a run is, counted from its events.</summary>
internal sealed class RunProgress
{
    private const int MaxShown = 5;
    private const int BarWidth = 20;

    private readonly HashSet<string> _active = new(StringComparer.Ordinal);
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);

    public void Take(RunEvent runEvent)
    {
        if (runEvent.NodeId is not { } node)
            return;

        if (runEvent.Type is "node.started" or "node.suspended")
            _active.Add(node);
        else if (runEvent.Type is "node.completed" or "node.failed" or "node.skipped" or "node.cancelled")
        {
            _active.Remove(node);
            _done.Add(node);
        }
    }

    /// <summary>A line for people.</summary>
    /// <param name="total">Nodes of the workflow, where known.</param>
    public string Describe(int? total)
    {
        var now = _active.Count == 0 ? "" : ", now " + string.Join(", ", _active.Order(StringComparer.Ordinal).Take(MaxShown)) + (_active.Count > MaxShown ? ", …" : "");
        if (total is not > 0)
            return string.Create(CultureInfo.InvariantCulture, $"{_done.Count} done{now}");

        var filled = Math.Min(BarWidth, _done.Count * BarWidth / total.Value);
        return string.Create(CultureInfo.InvariantCulture, $"{new string('━', filled)}{new string('─', BarWidth - filled)} {_done.Count} of {total} done{now}");
    }
}
