using ChordChat.Visualizer.Hosting;
using Xunit;

namespace ChordChat.Tests.Unit.Visualizer;

/// <summary>A page elsewhere whose name was bent to this machine must not read who is online
/// (docs/security.md).</summary>
public sealed class HostNameTests
{
    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LocalHost", true)]
    [InlineData("localhost.", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]", true)]
    [InlineData("ring.lan", true)]
    [InlineData("Ring.LAN", true)]
    [InlineData("10.0.0.5", true)]
    [InlineData("", false)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("evilring.lan", false)]
    [InlineData("10.0.0.6", false)]
    [InlineData("0.0.0.0", false)]
    public void Only_loopback_and_configured_names_are_answered_wherever_it_listens(string host, bool isMeant)
    {
        foreach (var listen in (string[])["localhost", "0.0.0.0", "*"])
        {
            var options = new VisualizerOptions { Listen = listen, HostNames = ["ring.lan", "10.0.0.5"] };
            Assert.Equal(isMeant, options.AnswersTo(host));
        }
    }

    [Theory]
    [InlineData("ring.lan", true)]
    [InlineData("10.0.0.5", true)]
    [InlineData("ring.lan:80", false)]
    [InlineData("http://ring.lan", false)]
    [InlineData("*", false)]
    public void A_host_name_is_a_name_without_more(string name, bool isOne) =>
        Assert.Equal(isOne, !new VisualizerOptions { HostNames = [name] }.Problems().Any());
}
