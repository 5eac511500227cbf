namespace OpenWop.Micro.Runs.Core;

/// <summary>Versions of the engine's semantics (spec/http-core.md 7): what a run was started with is what it is read by.</summary>
internal static class EngineVersions
{
    /// <summary>Of this build. A run of a newer one is refused and never written.</summary>
    public const int Current = 1;

    /// <summary>The oldest version whose semantics this build knows; test keys may ask for it.</summary>
    public const int Oldest = 0;

    public static bool IsSupported(int version) => version is >= Oldest and <= Current;
}
