namespace OpenWop.Micro.Standalone;

internal static class Usage
{
    public const string Text = """
        OpenWop.Micro: all services in one process.

          --urls URL    where to listen, HTTP/1.1 and HTTP/2 on one port (default http://127.0.0.1:8080)
          --data DIR    where the data is kept (default ./data)
          --demo        run a sample workflow with temporary data, then keep serving
          --help        this text

        Keys come from the environment: OPENWOP_API_KEY for one key with all scopes, OPENWOP_KEYS_FILE for several.
        Every setting is described in docs/configuration.md.
        """;
}
