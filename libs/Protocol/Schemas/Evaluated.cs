namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// Which members and items of one value a subschema has looked at, for <c>unevaluatedProperties</c> and
/// <c>unevaluatedItems</c>. Exists only where one of them may ask.
/// </summary>
internal sealed class Evaluated
{
    private HashSet<string>? _names;
    private HashSet<int>? _indexes;
    private int _firstItems;

    public void Add(string name) => (_names ??= new HashSet<string>(StringComparer.Ordinal)).Add(name);

    public void Add(int index) => (_indexes ??= []).Add(index);

    /// <summary>Marks the items before <paramref name="count"/>.</summary>
    public void AddFirst(int count) => _firstItems = Math.Max(_firstItems, count);

    public bool Contains(string name) => _names?.Contains(name) == true;

    public bool Contains(int index) => index < _firstItems || _indexes?.Contains(index) == true;

    public void Merge(Evaluated other)
    {
        if (other._names is not null)
            (_names ??= new HashSet<string>(StringComparer.Ordinal)).UnionWith(other._names);

        if (other._indexes is not null)
            (_indexes ??= []).UnionWith(other._indexes);

        AddFirst(other._firstItems);
    }
}
