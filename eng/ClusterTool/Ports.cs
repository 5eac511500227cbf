using System.Net;
using System.Net.Sockets;

namespace OpenWop.Micro.ClusterTool;

/// <summary>
/// Free ports, below the range from which the system takes ports for outgoing connections: processes have to know each other's addresses
/// before they listen, and find them free again after a restart.
/// </summary>
internal static class Ports
{
    private const int First = 15000;
    private const int Count = 17000;
    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Given)
        {
            while (true)
            {
                var port = First + Random.Shared.Next(Count);
                if (Given.Add(port) && IsFree(port))
                    return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
