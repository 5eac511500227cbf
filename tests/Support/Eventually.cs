using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OpenWop.Micro.Testing;

/// <summary>Waits for a condition with a time limit, where nothing announces it.</summary>
public static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static Task TrueAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "") =>
        TrueAsync(() => Task.FromResult(condition()), text);

    public static async Task TrueAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition().ConfigureAwait(false))
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
                throw new TimeoutException("Still not true: " + text);

            await Task.Delay(10).ConfigureAwait(false);
        }
    }
}
