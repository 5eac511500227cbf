using OpenWop.Micro.Client.Organizations;
using OpenWop.Micro.Client.Runs;
using OpenWop.Micro.Client.Schedules;
using OpenWop.Micro.Client.Secrets;
using OpenWop.Micro.Client.Transport;
using OpenWop.Micro.Client.Triggers;
using OpenWop.Micro.Client.Webhooks;
using OpenWop.Micro.Client.Workflows;

namespace OpenWop.Micro.Client;

/// <summary>
/// A client of one server in the name of one API key. Safe for use from many threads; make one and keep it.
/// </summary>
public sealed class OpenWopClient : IDisposable
{
    private readonly HttpClient? _own;

    /// <summary>A client with connections of its own.</summary>
    public OpenWopClient(OpenWopOptions options)
        : this(options, http: null)
    {
    }

    /// <param name="options">Where the server is, and the key.</param>
    /// <param name="http">Connections to use, whose <see cref="HttpClient.Timeout"/> should be infinite; null = own ones.</param>
    /// <param name="time">The clock for waits.</param>
    public OpenWopClient(OpenWopOptions options, HttpClient? http, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        if (http is null)
        {
            // Connections are renewed now and then, so that a server that moved is found.
            var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false };
            _own = http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        }

        var transport = new OpenWopTransport(http, options, time ?? TimeProvider.System);
        Runs = new RunsClient(transport, time ?? TimeProvider.System);
        Workflows = new WorkflowsClient(transport);
        Catalogue = new CatalogueClient(transport);
        Schedules = new SchedulesClient(transport);
        Triggers = new TriggersClient(transport);
        InboundWebhooks = new InboundWebhooksClient(transport);
        WebhookSubscriptions = new WebhookSubscriptionsClient(transport);
        Keys = new KeysClient(transport);
        Secrets = new SecretsClient(transport);
        Organization = new OrganizationClient(transport);
        Server = new ServerClient(transport);
    }

    /// <summary>What the client was made from.</summary>
    public OpenWopOptions Options { get; }

    /// <summary>Runs and their events.</summary>
    public RunsClient Runs { get; }

    /// <summary>Workflows and their versions.</summary>
    public WorkflowsClient Workflows { get; }

    /// <summary>What workflows can be made of.</summary>
    public CatalogueClient Catalogue { get; }

    /// <summary>Runs by the clock.</summary>
    public SchedulesClient Schedules { get; }

    /// <summary>Runs that events of other runs start.</summary>
    public TriggersClient Triggers { get; }

    /// <summary>URLs that start runs when somebody posts to them.</summary>
    public InboundWebhooksClient InboundWebhooks { get; }

    /// <summary>URLs that the server posts events to.</summary>
    public WebhookSubscriptionsClient WebhookSubscriptions { get; }

    /// <summary>API keys of the organization.</summary>
    public KeysClient Keys { get; }

    /// <summary>Keys of providers and the like, for the nodes of workflows.</summary>
    public SecretsClient Secrets { get; }

    /// <summary>The organization and its members.</summary>
    public OrganizationClient Organization { get; }

    /// <summary>The server itself.</summary>
    public ServerClient Server { get; }

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();
}
