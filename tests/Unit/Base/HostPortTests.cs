using ChordChat.Node.Base;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

public class HostPortTests
{
    private const string Label = "a12345678901234567890123456789012345678901234567890123456789012.";
    private const string LongName =
        Label + Label + Label + "a2345678901234567890123456789012345678901234567890123456789012:1";

    [Theory]
    [InlineData("10.0.0.5:7401", "10.0.0.5", 7401)]
    [InlineData("node3.lan:0", "node3.lan", 0)]
    [InlineData("[fd00::2]:65535", "fd00::2", 65535)]
    [InlineData("[fe80::1%eth0]:7401", "fe80::1%eth0", 7401)]
    public void Host_and_port_are_read_and_written_alike(string text, string host, int port)
    {
        Assert.True(HostPort.TryParse(text, out var read));
        Assert.Equal(new HostPort(host, port), read);
        Assert.Equal(text, read.ToString());
    }

    [Theory]
    [InlineData("7401")]
    [InlineData(":7401")]
    [InlineData("host:")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("host:7x")]
    [InlineData("fd00::2:7401")]
    [InlineData("a b:1")]
    [InlineData("[fe80::1%@]:7401")] // .NET takes anything for a scope.
    [InlineData("[fe80::1%]:7401")]
    [InlineData("[fe80::1%\n10.0.0.1:1 x\n]:7401")]
    [InlineData("a\uFFFE:1")] // .NET takes it for a name, and makes no URI of it later.
    [InlineData("b\u00fccher:1")] // Beacons are ASCII.
    [InlineData("")]
    [InlineData(LongName)] // Nobody can look it up.
    public void Anything_else_is_refused(string text) => Assert.False(HostPort.TryParse(text, out _));

    /// <summary>docs/protocol.md#bad-input: whoever named it, a channel can be made to it.</summary>
    [Fact]
    public void Whatever_is_taken_can_be_called()
    {
        foreach (var (before, after) in ((string, string)[])[("", ""), ("a", ""), ("", "a"), ("xn--", "")])
            for (var c = 0; c <= char.MaxValue; c++)
                if ($"{before}{(char)c}{after}:1" is var text && HostPort.TryParse(text, out _))
                {
                    using var channel = GrpcChannel.ForAddress($"https://{text}");
                    Assert.NotEmpty(new Uri($"https://{text}/x?y=1").IdnHost);
                }
    }
}
