namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// Which members and items of one value a subschema has looked at, for <c>unevaluatedProperties</c> and
/// <c>unevaluatedItems</c>. Exists only where one of them may ask.
/// </summary>
internal sealed class Evaluated
{
    private HashSet<string>? names;
    private HashSet<int>? indexes;
    private int firstItems;

    public void Add(string name) => (names ??= new HashSet<string>(StringComparer.Ordinal)).Add(name);

    public void Add(int index) => (indexes ??= []).Add(index);

    /// <summary>Marks the items before <paramref name="count"/>.</summary>
    public void AddFirst(int count) => firstItems = Math.Max(firstItems, count);

    public bool Contains(string name) => names?.Contains(name) == true;

    public bool Contains(int index) => index < firstItems || indexes?.Contains(index) == true;

    public void Merge(Evaluated other)
    {
        if (other.names is not null)
            (names ??= new HashSet<string>(StringComparer.Ordinal)).UnionWith(other.names);

        if (other.indexes is not null)
            (indexes ??= []).UnionWith(other.indexes);

        AddFirst(other.firstItems);
    }
}
