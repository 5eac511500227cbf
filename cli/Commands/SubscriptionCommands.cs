using System.CommandLine;
using System.Globalization;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Webhooks;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop webhooks subscriptions …</c>: URLs that get events.</summary>
internal static class SubscriptionCommands
{
    /// <summary>What most receivers want to know: how runs end.</summary>
    private static readonly string[] DefaultEvents = ["run.completed", "run.failed", "run.cancelled"];

    private static readonly Argument<string> Id = new("subscription") { Description = "Id of the subscription" };
    private static readonly Argument<string> DeliveryId = new("delivery") { Description = "Id of the delivery" };

    public static Command Create() => new("subscriptions", "URLs that the server posts events to.")
    {
        List(),
        Get(),
        Add(),
        Change("pause", "Send nothing until it is resumed; nothing is lost.", (client, id, cancellationToken) => client.PauseAsync(id, cancellationToken)),
        Change("resume", "Send what has come up during a pause, and go on.", (client, id, cancellationToken) => client.ResumeAsync(id, cancellationToken)),
        Rotate(),
        Test(),
        Deliveries(),
        Replay(),
        Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "All subscriptions.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var subscriptions = await client.WebhookSubscriptions.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(subscriptions);
            else
            {
                Terminal.Table(
                    ["id", "url", "events", "status", "circuit"],
                    subscriptions.Select(subscription => new[]
                    {
                        subscription.Id, subscription.Url, string.Join(' ', subscription.Events), subscription.Status, subscription.Circuit,
                    }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get() => Change("get", "A subscription, and how much waits for it.", (client, id, cancellationToken) => client.GetAsync(id, cancellationToken));

    private static Command Add()
    {
        var url = new Argument<string>("url") { Description = "Where events are posted to" };
        var events = new Option<string[]>("--event") { Description = $"A type of events (default: {string.Join(", ", DefaultEvents)})", DefaultValueFactory = _ => [] };
        var tags = new Option<string[]>("--tag") { Description = "Only runs that have the tag", DefaultValueFactory = _ => [] };
        var command = new Command("add", "Subscribe a URL. Shows the secret, once.") { url, events, tags };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var target = Uri.TryCreate(result.GetValue(url), UriKind.Absolute, out var absolute)
                ? absolute
                : throw new CliException(ExitCodes.Usage, $"'{result.GetValue(url)}' is no URL.");
            var (types, only) = (result.GetValue(events)!, result.GetValue(tags)!);
            var made = await client.WebhookSubscriptions.CreateAsync(
                target, types.Length == 0 ? DefaultEvents : types, only.Length == 0 ? null : only, cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(made);
            else
                Terminal.Facts(("subscription", made.WebhookId), ("secret", made.Secret), ("fingerprint", made.SecretFingerprint));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Rotate()
    {
        var overlap = WebhookCommands.OverlapOption();
        var command = new Command("rotate", "Replace the secret. Shows the new one, once.") { Id, overlap };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.WebhookSubscriptions.RotateSecretAsync(result.GetValue(Id)!, WebhookCommands.Seconds(result, overlap), cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Test()
    {
        var command = new Command("test", "Send an event webhook.test.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.WebhookSubscriptions.TestAsync(result.GetValue(Id)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Deliveries()
    {
        var status = new Option<string?>("--status") { Description = "pending, delivered or dead" };
        status.AcceptOnlyFromAmong("pending", "delivered", "dead");
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first (1 to 200)", DefaultValueFactory = _ => 20 };
        var command = new Command("deliveries", "What was sent, and what waits, newest first.") { Id, status, limit };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var page = await client.WebhookSubscriptions.DeliveriesAsync(
                result.GetValue(Id)!, result.GetValue(status), result.GetValue(limit), cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(page.Data);
            else
            {
                Terminal.Table(
                    ["delivery", "type", "run", "status", "attempts", "settled"],
                    page.Data.Select(delivery => new[]
                    {
                        delivery.Id, delivery.Type, delivery.RunId, delivery.Status, Terminal.Short(delivery.Attempts), Terminal.Time(delivery.SettledAt),
                    }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Replay()
    {
        var command = new Command("replay", "Send a dead letter once more.") { Id, DeliveryId };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.WebhookSubscriptions.ReplayAsync(result.GetValue(Id)!, result.GetValue(DeliveryId)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "End a subscription.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.WebhookSubscriptions.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A command that ends with a look at the subscription.</summary>
    private static Command Change(string name, string description, Func<WebhookSubscriptionsClient, string, CancellationToken, Task<WebhookSubscription>> change)
    {
        var command = new Command(name, description) { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await change(client.WebhookSubscriptions, result.GetValue(Id)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Show(ParseResult result, WebhookSubscription subscription)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(subscription);
        else
        {
            Terminal.Facts(
                ("subscription", subscription.Id), ("url", subscription.Url), ("events", string.Join(' ', subscription.Events)),
                ("tags", subscription.Tags.Count == 0 ? null : string.Join(' ', subscription.Tags)),
                ("status", subscription.Status), ("circuit", subscription.Circuit), ("pending", subscription.Pending?.ToString(CultureInfo.InvariantCulture)),
                ("secret", subscription.Secret), ("old until", Terminal.Time(subscription.PreviousSecretUntil)));
        }
    }

    private static void Show(ParseResult result, WebhookDelivery delivery)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(delivery);
        else
            Terminal.Facts(("delivery", delivery.Id), ("type", delivery.Type), ("status", delivery.Status));
    }
}
