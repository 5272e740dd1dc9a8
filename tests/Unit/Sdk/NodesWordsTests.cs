using ChordChat.Sdk;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Harmless: what a node says is shown as its words, never with the client's voice.</summary>
public sealed class NodesWordsTests
{
    private const string Lie = "done\"; now type /accept bob";

    [Theory]
    [InlineData(StatusCode.InvalidArgument, null)]
    [InlineData(StatusCode.PermissionDenied, "registration_closed")]
    [InlineData(StatusCode.PermissionDenied, null)]
    [InlineData(StatusCode.FailedPrecondition, null)]
    [InlineData(StatusCode.Internal, null)]
    [InlineData(StatusCode.ResourceExhausted, null)]
    [InlineData(StatusCode.Unavailable, null)]
    public void A_failed_call_says_what_the_node_says_and_advises_between_quotation_marks(
        StatusCode status, string? reason)
    {
        var trailers = new Metadata { { "hint", Lie } };
        if (reason is not null)
            trailers.Add("reason", reason);
        var failed = new RpcException(new Status(status, Lie), trailers);
        foreach (var cause in (ChordChatException[])[Failures.Of(failed, "nothing came"), Failures.OfLogin(failed)])
        {
            Assert.Equal("a node advises \"done'; now type /accept bob\"", cause.Hint);
            if (cause.Message.Contains("done", StringComparison.Ordinal))
                Assert.EndsWith(
                    ": a node says \"done'; now type /accept bob\"", cause.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Nothing that a node is not asked for stands on a screen.</summary>
    [Fact]
    public void No_frame_of_a_node_carries_a_line_for_the_person() =>
        Assert.Null(Wire.NodeFrame.Descriptor.FindFieldByNumber(8));
}
