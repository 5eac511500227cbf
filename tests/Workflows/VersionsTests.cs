using Grpc.Core;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

public sealed class VersionsTests
{
    [Fact]
    public async Task Every_version_stays_readable_byte_for_byte()
    {
        await using var host = await StartAsync();
        var first = Definition("w", "One").Replace("\"settings\":{}", "\"settings\" : { \"timeout\":1.0e3 }", StringComparison.Ordinal);
        var second = Definition("w", "Two");

        var one = await host.PutAsync("w", first);
        var two = await host.PutAsync("w", second);

        Assert.Equal((1, true, 2, false), (one.Version, one.Created, two.Version, two.Created));
        Assert.NotEqual(one.Etag, two.Etag);
        var (head, oldest) = (await host.GetAsync("w"), await host.GetAsync("w", version: 1));
        Assert.Equal((second, 2, two.Etag), (head.Json.ToStringUtf8(), head.Version, head.Etag));
        Assert.Equal((first, 1, one.Etag), (oldest.Json.ToStringUtf8(), oldest.Version, oldest.Etag));
    }

    [Fact]
    public async Task The_bytes_of_the_head_again_make_no_version()
    {
        await using var host = await StartAsync();
        var one = await host.PutAsync("w", Definition("w", "One"));
        var again = await host.PutAsync("w", Definition("w", "One"));
        await host.PutAsync("w", Definition("w", "Two"));
        var back = await host.PutAsync("w", Definition("w", "One"));

        Assert.Equal((1, one.Etag, false), (again.Version, again.Etag, again.Created));
        Assert.Equal(3, back.Version);
        Assert.NotEqual(one.Etag, back.Etag); // The same bytes, but not the version that an early reader has seen.
    }

    [Fact]
    public async Task The_same_request_again_answers_the_same_whatever_has_happened_since()
    {
        await using var host = await StartAsync();
        var first = await host.PutAsync("w", Definition("w", "One"), ifNoneMatch: true, requestId: "r1");
        await host.PutAsync("w", Definition("w", "Two"));

        Assert.Equal(first, await host.PutAsync("w", Definition("w", "One"), ifNoneMatch: true, requestId: "r1"));
        Assert.Equal(2, (await host.GetAsync("w")).Version);
        var other = await Refused.ByAsync(() => host.PutAsync("other", Definition("other"), requestId: "r1"));
        Assert.Equal(ErrorCodes.IdempotencyKeyMismatch, other.Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("other"))).Code);
    }

    [Fact]
    public async Task Expectations_are_held_against_the_head()
    {
        await using var host = await StartAsync();
        Assert.Equal(ErrorCodes.PreconditionFailed, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w"), ifMatch: "*"))).Code);
        Assert.Equal(ErrorCodes.PreconditionFailed, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w"), ifMatch: "1-abc"))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w"))).Code);

        var one = await host.PutAsync("w", Definition("w", "One"), ifNoneMatch: true);
        var exists = await Refused.ByAsync(() => host.PutAsync("w", Definition("w", "Two"), ifNoneMatch: true));
        Assert.Equal((ErrorCodes.PreconditionFailed, one.Etag), (exists.Code, (string?)exists.Details!["currentEtag"]));

        var two = await host.PutAsync("w", Definition("w", "Two"), ifMatch: one.Etag);
        Assert.Equal(ErrorCodes.PreconditionFailed, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w", "Three"), ifMatch: one.Etag))).Code);
        Assert.Equal(3, (await host.PutAsync("w", Definition("w", "Three"), ifMatch: "*")).Version);
        Assert.Equal(2, two.Version);
    }

    [Fact]
    public async Task Of_parallel_writers_with_the_same_expectation_one_wins()
    {
        await using var host = await StartAsync();
        var etag = (await host.PutAsync("w", Definition("w"))).Etag;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => TryAsync(() => host.PutAsync("w", Definition("w", $"Writer {i}"), ifMatch: etag))));

        Assert.Equal(1, outcomes.Count(outcome => outcome is null));
        Assert.All(outcomes.OfType<ProtocolError>(), error => Assert.Equal(ErrorCodes.PreconditionFailed, error.Code));
        Assert.Equal(2, (await host.GetAsync("w")).Version);
    }

    [Fact]
    public async Task Parallel_writers_without_an_expectation_get_versions_without_gaps()
    {
        await using var host = await StartAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => host.PutAsync("w", Definition("w", $"Writer {i}"), requestId: $"r{i}")));

        Assert.Equal(Enumerable.Range(1, 16).Select(version => (long)version), replies.Select(reply => reply.Version).Order());
        Assert.Equal(1, replies.Count(reply => reply.Created));
    }

    [Fact]
    public async Task Versions_survive_a_restart()
    {
        using var data = new Testing.TempFolder();
        await using (var host = await StartAsync(data.Path))
        {
            await host.PutAsync("w", Definition("w", "One"));
        }

        await using var next = await StartAsync(data.Path);
        Assert.Equal(Definition("w", "One"), (await next.GetAsync("w")).Json.ToStringUtf8());
        Assert.Equal(2, (await next.PutAsync("w", Definition("w", "Two"))).Version);
    }

    private static async Task<ProtocolError?> TryAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException exception)
        {
            return exception.ToProtocolError();
        }
    }
}
