using ChordChat.Node.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

/// <summary>docs/operations.md, "Limits": connections leave descriptors for the node's own work.</summary>
public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData(1_024, 640)]
    [InlineData(1_048_576, DescriptorLimit.ConnectionsMax)]
    [InlineData(null, DescriptorLimit.ConnectionsMax)]
    public void Connections_have_a_share_of_the_descriptors(int? descriptors, int connections) =>
        Assert.Equal(connections, DescriptorLimit.Of(descriptors).Connections);

    [Fact]
    public void The_limit_of_the_process_is_read()
    {
        Assert.Equal(1_024, DescriptorLimit.Read(["Limit  Soft Limit", "Max open files   1024   4096   files"]));
        Assert.Null(DescriptorLimit.Read(["Max open files   unlimited   unlimited   files"]));
    }

    [Fact]
    public async Task Connections_without_a_handshake_are_closed_past_their_limit_and_others_are_not()
    {
        var limit = new OpenConnections(new(10, 10, 2), NullLogger.Instance);
        var (over, served) = (new TaskCompletionSource(), 0);
        ConnectionDelegate serve = _ =>
        {
            served++;
            return over.Task;
        };
        var idle = limit.Limit(serve);
        var finishing = limit.Limit(OpenConnections.Finished(serve));
        var open = new List<Task> { finishing(new DefaultConnectionContext()), idle(new DefaultConnectionContext()) };
        open.Add(idle(new DefaultConnectionContext()));
        Assert.Equal(3, served); // The first one is done with its handshake.
        await idle(new DefaultConnectionContext());
        Assert.Equal(3, served);
        over.SetResult();
        await Task.WhenAll(open);
        open.Add(idle(new DefaultConnectionContext()));
        Assert.Equal(4, served); // There is room again.
    }
}
