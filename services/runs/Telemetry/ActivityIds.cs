using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OpenWop.Micro.Runs.Telemetry;

/// <summary>Gives activities ids of our own choice, for which the framework has no method; a test holds it to the field that it sets.</summary>
internal static class ActivityIds
{
    /// <summary>Sets the span id of an activity that has been started and has no children yet.</summary>
    public static void Assign(Activity activity, ActivitySpanId id) => SpanIdOf(activity) = id.ToHexString();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanIdOf(Activity activity);
}
