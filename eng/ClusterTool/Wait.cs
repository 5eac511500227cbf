using System.Diagnostics;

namespace OpenWop.Micro.ClusterTool;

/// <summary>Waits for what no process announces.</summary>
internal static class Wait
{
    public static Task UntilAsync(Func<bool> condition, string what, TimeSpan limit) => UntilAsync(() => Task.FromResult(condition()), what, limit);

    /// <exception cref="TimeoutException">The condition did not come true in time.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > limit)
                throw new TimeoutException("Still not true: " + what);

            await Task.Delay(20);
        }
    }
}
