using System.Net;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Tests.Unit.Base;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

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
        var limit = new OpenConnections(new(10, 10, 2), new(), new ManualTime(), NullLogger.Instance);
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

    /// <summary>docs/security.md, "Places of strangers".</summary>
    [Fact]
    public async Task The_connection_that_is_idle_for_longest_makes_room_before_one_with_a_session()
    {
        var limit = new OpenConnections(new(4, 4, 4), new(), new ManualTime(), NullLogger.Instance);
        var first = Come(limit, "127.0.1.1");
        var second = Come(limit, "127.0.1.1");
        var third = Come(limit, "127.0.1.1");
        var session = first.Place.Busy();

        var newcomer = Come(limit, "127.0.2.1");
        Assert.Equal([false, true, false, false], Closed(first, second, third, newcomer));

        session.Dispose(); // It has been idle for a shorter time than the third now.
        second.Leave();
        var another = Come(limit, "127.0.3.1");
        Assert.Equal([false, false, true, false], Closed(first, newcomer, third, another));
        Array.ForEach([first, third, newcomer, another], each => each.Leave());
        await Task.WhenAll(first.Served, second.Served, third.Served, newcomer.Served, another.Served);
    }

    /// <summary>docs/security.md, "Places of strangers": accounts at one address keep nobody out.</summary>
    [Fact]
    public async Task Sessions_of_one_block_make_room_for_others_and_an_operator_never()
    {
        var limit = new OpenConnections(new(9, 9, 9), new(), new ManualTime(), NullLogger.Instance);
        var @operator = new CallerIdentity(Node: null, IsOperator: true);
        var callers = Enumerable.Range(0, 8)
            .Select(i => Come(limit, "127.0.1.1", i == 0 ? @operator : null)).ToArray();
        var sessions = callers.Select(caller => caller.Place.Busy()).ToArray();

        var newcomer = Come(limit, "127.0.2.1");
        var session = newcomer.Place.Busy();

        Assert.Equal([false, true, false, false, false, false, false, false], Closed(callers));
        Assert.False(newcomer.IsClosed);
        Array.ForEach([.. sessions, session], each => each.Dispose());
        Array.ForEach([.. callers, newcomer], each => each.Leave());
        await Task.WhenAll(callers.Append(newcomer).Select(each => each.Served));
    }

    [Fact]
    public async Task Some_places_are_kept_for_addresses_of_members()
    {
        var members = new MemberAddresses();
        var limit = new OpenConnections(new(16, 16, 16), members, new ManualTime(), NullLogger.Instance);
        var strangers = Enumerable.Range(0, 14).Select(_ => Come(limit, "127.0.1.1")).ToArray();
        Assert.True(Come(limit, "127.0.1.2").Served.IsCompleted); // No room, and nobody has been idle for long.
        members.Add(IPAddress.Parse("127.0.1.2"));
        var member = Come(limit, "127.0.1.2");
        Assert.False(member.Served.IsCompleted);
        Assert.DoesNotContain(true, Closed(strangers));
        Array.ForEach([.. strangers, member], each => each.Leave());
        await Task.WhenAll(strangers.Append(member).Select(each => each.Served));
    }

    private static bool[] Closed(params Caller[] callers) => [.. callers.Select(each => each.IsClosed)];

    private static Caller Come(OpenConnections limit, string address, CallerIdentity? identity = null) =>
        new(limit, address, identity);

    /// <summary>Somebody whose handshake is done, and who stays until he leaves.</summary>
    private sealed class Caller
    {
        private readonly TaskCompletionSource _left = new();
        private readonly Func<bool> _isAborted;

        public Caller(OpenConnections limit, string address, CallerIdentity? identity)
        {
            var connection = new Connection { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) };
            connection.Features.Set(identity);
            _isAborted = () => connection.IsAborted;
            Served = limit.Limit(OpenConnections.Finished(_ => _left.Task))(connection);
            Place = connection.Features.Get<ConnectionPlace>()!;
        }

        public Task Served { get; }

        public ConnectionPlace Place { get; }

        public bool IsClosed => _isAborted();

        public void Leave() => _left.SetResult();
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
