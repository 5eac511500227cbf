namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>URI arithmetic of <c>$id</c> and <c>$ref</c>. Nothing is ever fetched.</summary>
internal static class SchemaUri
{
    /// <summary>Base of documents without an <c>$id</c>.</summary>
    public const string Anonymous = "https://schema.invalid/root";

    /// <summary>Resolves a reference against a base into an absolute URI without fragment, and the decoded fragment.</summary>
    public static bool TryResolve(string baseUri, string reference, out string uri, out string fragment)
    {
        uri = baseUri;
        fragment = "";
        var hash = reference.IndexOf('#', StringComparison.Ordinal);
        if (hash >= 0)
        {
            fragment = Uri.UnescapeDataString(reference[(hash + 1)..]);
            reference = reference[..hash];
        }

        if (reference.Length == 0)
            return true;

        if (!Uri.TryCreate(new Uri(baseUri), reference, out var resolved))
            return false;

        uri = resolved.AbsoluteUri;
        return true;
    }
}
