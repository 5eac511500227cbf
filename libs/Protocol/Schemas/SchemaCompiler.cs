using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// Turns a schema document into a graph of <see cref="SchemaNode"/>.
/// <list type="number">
/// <item><see cref="SchemaIndex"/> walks the document and notes every place that is a schema, every <c>$id</c> and every anchor.</item>
/// <item>Nodes are filled from a queue, so that neither depth nor chains of references cost stack.</item>
/// <item>References resolve to places of the first step only: a reference into an <c>enum</c>, say, points to no schema.</item>
/// <item>Cycles that would apply a schema to the same value again are refused; recursion into members and items is fine.</item>
/// </list>
/// </summary>
internal sealed class SchemaCompiler(SchemaLimits limits, Func<string, JsonElement?> external)
{
    private readonly SchemaIndex _index = new(limits);
    private readonly Dictionary<(SchemaSource, string), SchemaNode> _nodes = [];
    private readonly Queue<(SchemaNode Node, SchemaSource Source, string Pointer)> _unfilled = new();

    /// <summary>The root of a document. Throws <see cref="InvalidSchemaException"/>.</summary>
    public SchemaNode Compile(JsonElement schema, string baseUri)
    {
        if (JsonMarshal.GetRawUtf8Value(schema).Length > limits.MaxBytes)
            throw Invalid("", "$schema", $"A schema may have at most {limits.MaxBytes} bytes.");

        var root = At(_index.Add(schema, baseUri), "");
        Fill();
        RefuseCycles(_nodes.Values);
        _index.Forget();
        return root;
    }

    private static InvalidSchemaException Invalid(string pointer, string keyword, string message) =>
        new(new SchemaError(pointer, keyword, message));

    private void Fill()
    {
        do
        {
            while (_unfilled.TryDequeue(out var next))
            {
                new SchemaKeywords(this, limits, next.Node, next.Source, next.Pointer).Read();
            }

            // Dynamic references find their targets by name at run time; loading one document may bring in others.
            foreach (var resource in _index.Resources)
            {
                foreach (var name in resource.DynamicNames.Where(name => !resource.DynamicAnchors.ContainsKey(name)))
                {
                    resource.DynamicAnchors[name] = At(resource.Source, resource.Anchors[name]);
                }
            }
        }
        while (_unfilled.Count > 0);
    }

    /// <summary>The node of a place; null when the place is no schema.</summary>
    internal SchemaNode? Find(SchemaSource source, string pointer) => source.Places.ContainsKey(pointer) ? At(source, pointer) : null;

    internal SchemaNode At(SchemaSource source, string pointer)
    {
        if (!_nodes.TryGetValue((source, pointer), out var node))
        {
            _nodes[(source, pointer)] = node = new SchemaNode(source.Places[pointer].Resource);
            _unfilled.Enqueue((node, source, pointer));
        }

        return node;
    }

    /// <summary>Resolves a reference.</summary>
    /// <param name="reference">The value of <c>$ref</c> or <c>$dynamicRef</c>.</param>
    /// <param name="from">The resource it stands in.</param>
    /// <param name="dynamicAnchor">The anchor to look up at run time, when the reference names a dynamic one.</param>
    /// <returns>Null when it points nowhere.</returns>
    internal SchemaNode? Resolve(string reference, SchemaResource from, out string? dynamicAnchor)
    {
        dynamicAnchor = null;
        if (!SchemaUri.TryResolve(from.Uri, reference, out var uri, out var fragment))
            return null;

        var resource = _index.FindResource(uri) ?? (external(uri) is { } document ? Load(document, uri) : null);
        if (resource is null)
            return null;

        if (fragment.Length == 0 || fragment[0] == '/')
            return Find(resource.Source, resource.Pointer + fragment);

        if (!resource.Anchors.TryGetValue(fragment, out var pointer))
            return null;

        if (resource.DynamicNames.Contains(fragment))
            dynamicAnchor = fragment;

        return Find(resource.Source, pointer);
    }

    private SchemaResource? Load(JsonElement document, string uri)
    {
        _index.Add(document, uri);
        return _index.FindResource(uri);
    }

    private static void RefuseCycles(IEnumerable<SchemaNode> nodes)
    {
        var finished = new HashSet<SchemaNode>();
        foreach (var start in nodes)
        {
            var open = new HashSet<SchemaNode>();
            var path = new Stack<(SchemaNode Node, IEnumerator<SchemaNode> Next)>();
            Enter(start);
            while (path.TryPeek(out var top))
            {
                if (top.Next.MoveNext())
                {
                    Enter(top.Next.Current);
                    continue;
                }

                path.Pop();
                open.Remove(top.Node);
                finished.Add(top.Node);
            }

            void Enter(SchemaNode node)
            {
                if (open.Contains(node))
                    throw Invalid("", "$ref", "References form a cycle that never gets to a member or an item.");

                if (!finished.Contains(node) && open.Add(node))
                    path.Push((node, node.InPlace().GetEnumerator()));
            }
        }
    }
}
