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

    public void Add(string name) => (this.names ??= new HashSet<string>(StringComparer.Ordinal)).Add(name);

    public void Add(int index) => (this.indexes ??= []).Add(index);

    /// <summary>Marks the items before <paramref name="count"/>.</summary>
    public void AddFirst(int count) => this.firstItems = Math.Max(this.firstItems, count);

    public bool Contains(string name) => this.names?.Contains(name) == true;

    public bool Contains(int index) => index < this.firstItems || this.indexes?.Contains(index) == true;

    public void Merge(Evaluated other)
    {
        if (other.names is not null)
            (this.names ??= new HashSet<string>(StringComparer.Ordinal)).UnionWith(other.names);

        if (other.indexes is not null)
            (this.indexes ??= []).UnionWith(other.indexes);

        this.AddFirst(other.firstItems);
    }
}
