using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>The cases that every pair of our client and a server has to pass. Derived classes say who the server is.</summary>
public abstract class InteropCases
{
    private const int LargeRequestSize = 271828;
    private const int LargeResponseSize = 314159;
    private static readonly int[] InputSizes = [27182, 8, 1828, 45904];
    private static readonly int[] OutputSizes = [31415, 9, 2653, 58979];

    private protected abstract Protos.Interop.InteropClient Client { get; }

    private protected abstract UnimplementedService.UnimplementedServiceClient Stranger { get; }

    [Fact]
    public async Task An_empty_call_is_answered()
    {
        using var call = Client.EmptyCallAsync(new Empty());

        Assert.Equal(new Empty(), await call);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Large_messages_pass_both_ways()
    {
        var response = await Client.UnaryCallAsync(new UnaryRequest { ResponseSize = LargeResponseSize, Payload = PayloadOf(LargeRequestSize) });

        Assert.Equal(LargeResponseSize, response.Payload.Body.Length);
    }

    [Fact]
    public async Task Compressed_messages_pass_both_ways()
    {
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };

        var response = await Client.UnaryCallAsync(
            new UnaryRequest { ResponseSize = LargeResponseSize, Payload = PayloadOf(LargeRequestSize), CompressResponse = true }, headers);

        Assert.Equal(LargeResponseSize, response.Payload.Body.Length);
    }

    [Fact]
    public async Task A_stream_of_requests_is_collected()
    {
        using var call = Client.CollectInput();
        foreach (var size in InputSizes)
            await call.RequestStream.WriteAsync(new InputRequest { Payload = PayloadOf(size) });
        await call.RequestStream.CompleteAsync();

        Assert.Equal(InputSizes.Sum(), (await call).TotalSize);
    }

    [Fact]
    public async Task A_stream_of_responses_arrives_in_order()
    {
        using var call = Client.ProduceOutput(new OutputRequest { ResponseSizes = { OutputSizes } });

        var sizes = new List<int>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
            sizes.Add(response.Payload.Body.Length);

        Assert.Equal(OutputSizes, sizes);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Requests_and_responses_can_alternate()
    {
        using var call = Client.Converse();
        foreach (var (input, output) in InputSizes.Zip(OutputSizes))
        {
            await call.RequestStream.WriteAsync(new OutputRequest { ResponseSizes = { output }, Payload = PayloadOf(input) });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(output, call.ResponseStream.Current.Payload.Body.Length);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_conversation_without_messages_ends_well()
    {
        using var call = Client.Converse();
        await call.RequestStream.CompleteAsync();

        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_call_cancelled_at_its_beginning_ends_as_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = Client.CollectInput(cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Fact]
    public async Task A_call_cancelled_after_its_first_response_ends_as_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = Client.Converse(cancellationToken: cancellation.Token);
        await call.RequestStream.WriteAsync(new OutputRequest { ResponseSizes = { OutputSizes[0] }, Payload = PayloadOf(InputSizes[0]) });
        Assert.True(await call.ResponseStream.MoveNext(default));
        await cancellation.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_exceeds_the_deadline()
    {
        using var call = Client.Converse(deadline: DateTime.UtcNow.AddMilliseconds(50));

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_and_binary_metadata_pass_both_ways(bool streaming)
    {
        const string Text = "test_initial_metadata_value";
        byte[] binary = [0xab, 0xab, 0xab, 0x00, 0xff];
        var headers = new Metadata { { InteropService.EchoInitial, Text }, { InteropService.EchoTrailing, binary } };

        Metadata initial, trailing;
        if (streaming)
        {
            using var call = Client.Converse(headers);
            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext(default));
            (initial, trailing) = (await call.ResponseHeadersAsync, call.GetTrailers());
        }
        else
        {
            using var call = Client.UnaryCallAsync(new UnaryRequest { ResponseSize = 1 }, headers);
            await call;
            (initial, trailing) = (await call.ResponseHeadersAsync, call.GetTrailers());
        }

        Assert.Equal(Text, initial.GetValue(InteropService.EchoInitial));
        Assert.Equal(binary, trailing.GetValueBytes(InteropService.EchoTrailing));
    }

    [Theory]
    [InlineData("test status message")]
    [InlineData("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")]
    public async Task Status_code_and_message_arrive_unchanged(string message)
    {
        var status = new EchoStatus { Code = (int)StatusCode.FailedPrecondition, Message = message };

        var unary = await Assert.ThrowsAsync<RpcException>(async () => await Client.UnaryCallAsync(new UnaryRequest { ResponseStatus = status }));

        using var call = Client.Converse();
        await call.RequestStream.WriteAsync(new OutputRequest { ResponseStatus = status });
        await call.RequestStream.CompleteAsync();
        var duplex = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));

        Assert.All([unary, duplex], failure =>
        {
            Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
            Assert.Equal(message, failure.Status.Detail);
        });
    }

    [Fact]
    public async Task An_unimplemented_method_says_so()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await Client.UnimplementedCallAsync(new Empty()));

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task An_unimplemented_service_says_so()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await Stranger.UnimplementedCallAsync(new Empty()));

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    private static Payload PayloadOf(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };
}
