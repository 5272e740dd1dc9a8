using System.Net;
using ChordChat.Visualizer.Hosting;
using Xunit;

namespace ChordChat.Tests.Unit.Visualizer;

/// <summary>The program itself, and what it answers to requests that come from other sites.</summary>
public sealed class RunningPageTests
{
    /// <summary>docs/security.md, "The page that shows the ring". Which requests these are, <see cref="HostNameTests"/>
    /// says.</summary>
    [Fact]
    public async Task Another_site_gets_neither_the_feed_nor_an_answer_of_a_node()
    {
        var options = new VisualizerOptions { Port = 0, Search = false };
        await using var app = VisualizerHost.Build(options);
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(VisualizerHost.UrlOf(app, options)) };
        foreach (var path in (string[])["/feed", "/trace?name=alice"])
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, path, "Origin", "http://evil.example"));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, path, "Origin", "null"));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, path, "Sec-Fetch-Site", "cross-site"));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, path, "Sec-Fetch-Site", "same-site"));
            Assert.NotEqual(HttpStatusCode.Forbidden, await StatusAsync(http, path, "Sec-Fetch-Site", "same-origin"));
        }

        using var bare = await http.GetAsync("/trace?name=alice");
        Assert.Equal(HttpStatusCode.Forbidden, bare.StatusCode);
    }

    /// <summary>192.0.2.1 is nobody's (RFC 5737).</summary>
    [Fact]
    public void An_address_that_is_not_of_this_machine_ends_the_start_like_a_taken_port() => Assert.Equal(
        69, typeof(VisualizerHost).Assembly.EntryPoint!.Invoke(
            null, [(string[])["--listen", "192.0.2.1", "--port", "0", "--node", "127.0.0.1:1"]]));

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Chordchat-Page", "1"); // As the page itself does.
        request.Headers.Add(header, value);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }
}
