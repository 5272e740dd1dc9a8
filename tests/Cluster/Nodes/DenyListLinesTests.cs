using System.Net;
using System.Net.Sockets;
using ChordChat.Node.Ring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#ring-deny-list: one that lies in earshot makes up as many addresses as it likes.</summary>
public sealed class DenyListLinesTests
{
    private const int Asked = 100;
    private const int LineNumber = 3020;

    [Fact]
    public async Task Addresses_that_give_no_list_are_a_line_a_minute_however_many()
    {
        using var lines = new LoggedLines();
        await using var cluster = await NodeCluster.StartAsync(
            1, others: (_, services) => services.AddSingleton<ILoggerProvider>(lines));
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var news = cluster["n1"].Services.GetRequiredService<DenyListNews>();
        var address = 0;
        for (var asked = 0; asked < Asked; asked++)
        {
            for (var more = 0; more < DenyListNews.StrangersMax; more++)
                news.Refused(null, $"127.0.{++address / 250}.{1 + (address % 250)}:{port}");
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            (await listener.AcceptTcpClientAsync(limit.Token)).Dispose();
        }

        Assert.InRange(lines.Of(LineNumber), 1, 2); // A minute may have passed.
    }
}
