namespace OpenWop.Micro.Conformance;

/// <summary>One thing that a conforming host does.</summary>
/// <param name="Section">Section of the catalog of scenarios (spec/conformance.md 7).</param>
/// <param name="Name">What is demanded, as a sentence; unique.</param>
/// <param name="Gate">When it applies.</param>
/// <param name="Run">Throws when the host fails.</param>
internal sealed record Scenario(string Section, string Name, Gate Gate, Func<Suite, Task> Run);
