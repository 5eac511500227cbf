using System.Globalization;
using System.Text;

namespace OpenWop.Micro.Protocol.Json;

/// <summary>
/// The place in a document that a walk is at, as a stack of steps. Becomes text, a JSON pointer (RFC 6901), only when
/// something is wrong there.
/// </summary>
public sealed class JsonPath
{
    private readonly List<(string? Name, int Index)> _steps = [];

    /// <summary>Number of steps below the document.</summary>
    public int Depth => _steps.Count;

    /// <summary>A name as a step of a pointer: <c>~</c> and <c>/</c> escaped.</summary>
    public static string Escape(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Contains('~', StringComparison.Ordinal) || name.Contains('/', StringComparison.Ordinal)
            ? name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)
            : name;
    }

    public void Push(string name) => _steps.Add((name, 0));

    public void Push(int index) => _steps.Add((null, index));

    public void Pop() => _steps.RemoveAt(_steps.Count - 1);

    /// <summary>Goes back up to a depth, after a walk that did not end regularly.</summary>
    public void Cut(int depth) => _steps.RemoveRange(depth, _steps.Count - depth);

    /// <summary>The JSON pointer; empty for the document itself.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, index) in _steps)
        {
            text.Append('/');
            if (name is null)
                text.Append(CultureInfo.InvariantCulture, $"{index}");
            else
                text.Append(Escape(name));
        }

        return text.ToString();
    }
}
