using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.StandIns;

public class StatusTests
{
    [Fact]
    public void A_status_of_no_making_is_ok_without_detail()
    {
        Assert.Equal(StatusCode.OK, default(Status).StatusCode);
        Assert.Equal("", default(Status).Detail);
        Assert.Equal(StatusCode.OK, Status.DefaultSuccess.StatusCode);
        Assert.Equal(StatusCode.Cancelled, Status.DefaultCancelled.StatusCode);
    }

    [Fact]
    public void A_status_says_code_and_detail() => Assert.Equal(
        "Status(StatusCode=\"Aborted\", Detail=\"a newer version is stored\")",
        new Status(StatusCode.Aborted, "a newer version is stored").ToString());

    [Theory]
    [InlineData(StatusCode.NotFound, 5)]
    [InlineData(StatusCode.ResourceExhausted, 8)]
    [InlineData(StatusCode.FailedPrecondition, 9)]
    [InlineData(StatusCode.Unavailable, 14)]
    [InlineData(StatusCode.Unauthenticated, 16)]
    public void Codes_have_the_numbers_that_are_sent(StatusCode code, int number) => Assert.Equal(number, (int)code);

    [Fact]
    public void An_exception_carries_status_trailers_and_cause()
    {
        var cause = new IOException("cable");
        var trailers = new Metadata { { "hint", "ask n2" } };
        var thrown = new RpcException(new Status(StatusCode.Unavailable, "gone", cause), trailers);
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        Assert.Same(cause, thrown.InnerException);
        Assert.Equal("ask n2", thrown.Trailers.GetValue("hint"));
        Assert.Contains("gone", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exception_made_without_trailers_has_none_rather_than_null() =>
        Assert.Empty(new RpcException(Status.DefaultCancelled).Trailers);

    [Fact]
    public void A_message_of_ones_own_replaces_the_status() =>
        Assert.Equal("own words", new RpcException(Status.DefaultCancelled, "own words").Message);
}
