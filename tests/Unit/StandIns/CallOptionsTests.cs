using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.StandIns;

public class CallOptionsTests
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Nothing_said_means_no_deadline_and_no_headers()
    {
        var options = default(CallOptions);
        Assert.Null(options.Deadline);
        Assert.Null(options.Headers);
        Assert.False(options.CancellationToken.CanBeCanceled);
        Assert.False(options.IsWaitForReady);
    }

    [Fact]
    public void Each_with_changes_one_thing_of_a_copy()
    {
        using var cancellation = new CancellationTokenSource();
        var headers = new Metadata();
        var first = new CallOptions(headers, Noon, cancellation.Token);

        var second = first.WithDeadline(Noon.AddMinutes(1)).WithWaitForReady();

        Assert.Equal(Noon, first.Deadline);
        Assert.False(first.IsWaitForReady);
        Assert.Equal(Noon.AddMinutes(1), second.Deadline);
        Assert.True(second.IsWaitForReady);
        Assert.Same(headers, second.Headers);
        Assert.Equal(cancellation.Token, second.CancellationToken);
    }

    [Fact]
    public void Write_options_and_headers_can_be_replaced()
    {
        var options = default(CallOptions)
            .WithHeaders([])
            .WithWriteOptions(new WriteOptions(WriteFlags.BufferHint))
            .WithCancellationToken(new CancellationToken(true));
        Assert.NotNull(options.Headers);
        Assert.Equal(WriteFlags.BufferHint, options.WriteOptions!.Flags);
        Assert.True(options.CancellationToken.IsCancellationRequested);
    }
}
