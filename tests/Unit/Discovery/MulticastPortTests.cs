using System.Net;
using ChordChat.Node.Discovery;
using Xunit;

namespace ChordChat.Tests.Unit.Discovery;

public class MulticastPortTests
{
    /// <summary>docs/operations.md#question: what came by a port that was closed since, as the networks have changed.
    /// </summary>
    [Fact]
    public async Task Nobody_is_answered_by_a_port_that_is_closed()
    {
        var ports = MulticastPort.OpenAll(new("239.255.67.68", 7399), (_, _) => { });
        Assert.NotEmpty(ports);
        foreach (var port in ports)
        {
            port.Dispose();
            await port.AnswerAsync(new byte[1], new IPEndPoint(IPAddress.Loopback, 9), CancellationToken.None);
        }
    }
}
