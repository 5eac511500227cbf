namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Ways in which a run is asked for, as <c>run.started</c> names them (spec/runs-streams-replay.md 3.2). gRPC is the REST contract in another encoding.</summary>
public static class RunTransports
{
    public const string Rest = "rest";
    public const string Mcp = "mcp";
    public const string A2a = "a2a";
    public const string Ui = "ui";

    /// <summary>Whether a name is one of them.</summary>
    public static bool IsKnown(string name) => name is Rest or Mcp or A2a or Ui;
}
