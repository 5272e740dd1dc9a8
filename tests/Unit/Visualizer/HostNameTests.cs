using ChordChat.Visualizer.Hosting;
using ChordChat.Visualizer.Pages;
using Microsoft.AspNetCore.Http;
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

    /// <summary>Any page that a visitor has open could have nodes asked in the visitor's name.</summary>
    [Theory]
    [InlineData("/", null, null, null, false, false)]
    [InlineData("/", null, "none", "navigate", false, false)]
    [InlineData("/", null, "cross-site", "navigate", false, false)] // A link.
    [InlineData("/", null, "cross-site", "no-cors", false, true)]
    [InlineData("/", null, "cross-site", "cors", false, true)]
    [InlineData("/js/main.js", null, "same-origin", "cors", false, false)]
    [InlineData("/js/main.js", null, "same-site", "no-cors", false, true)]
    [InlineData("/feed", "http://localhost:7480", "same-origin", "cors", false, false)]
    [InlineData("/feed", "http://localhost:7481", null, null, false, true)]
    [InlineData("/feed", "null", null, null, false, true)]
    [InlineData("/feed", null, "cross-site", "navigate", false, true)]
    [InlineData("/trace", null, "same-origin", "cors", true, false)]
    [InlineData("/trace", null, "same-origin", "cors", false, true)]
    [InlineData("/trace", null, "cross-site", "navigate", false, true)]
    [InlineData("/trace", null, null, null, false, true)]
    [InlineData("/TRACE", null, null, null, false, true)]
    [InlineData("/trace/", null, null, null, false, true)]
    [InlineData("/healthz", null, null, null, false, false)]
    public void Other_sites_can_have_nothing_asked_here(
        string path, string? origin, string? site, string? mode, bool own, bool isOfAnother)
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Host, request.Path) = ("http", new("localhost:7480"), path);
        request.Headers.Origin = origin;
        request.Headers["Sec-Fetch-Site"] = site;
        request.Headers["Sec-Fetch-Mode"] = mode;
        if (own)
            request.Headers["X-Chordchat-Page"] = "1";
        Assert.Equal(isOfAnother, Headers.IsOfAnotherSite(request));
    }
}
