using System.Collections.Immutable;
using ChordChat.Visualizer.Feed;
using ChordChat.Wire;
using State = ChordChat.Wire.NodeView.Types.State;

namespace ChordChat.Tests.Browser.Fakes;

/// <summary>A scripted cluster of real servers: they speak gRPC over TLS 1.3 and agree at once.</summary>
internal sealed class FakeCluster : IAsyncDisposable
{
    private readonly FakeAuthority _authority = new();
    private readonly Dictionary<string, FakeNode> _running = [];
    private readonly Latest<ImmutableArray<FakeMember>> _members = new([]);
    private ImmutableQueue<ViewEvent> _events = [];
    private ulong _eventNumber;

    public byte[] Authority => _authority.Certificate;

    public ImmutableArray<FakeMember> Members => _members.Value;

    public string AddressOf(string name) => _running[name].Address;

    /// <summary>Starts n1 to nN with these people spread over them.</summary>
    public static async Task<FakeCluster> StartAsync(int nodes, params string[] people)
    {
        var cluster = new FakeCluster();
        for (var i = 1; i <= nodes; i++)
            await cluster.JoinAsync($"n{i}", [.. people.Where((_, person) => person % nodes == i - 1)]);
        return cluster;
    }

    /// <summary>Adds members that are seen in the ring and answer nobody: enough to draw a large one.</summary>
    public void Imagine(int count)
    {
        for (var i = Members.Length + 1; i <= count; i++)
            _members.Publish(Members.Add(
                new($"n{i}", FakeRing.PointOf($"place {i}"), $"localhost:{20000 + i}", State.Alive, [])));
    }

    public async Task<FakeNode> JoinAsync(string name, params string[] users)
    {
        var node = await FakeNode.StartAsync(name, this, _authority.Issue(name));
        _running[name] = node;
        Happen("joined", name, $"{name} joined");
        var gone = Members.RemoveAll(member => member.Name == name);
        _members.Publish(gone.Add(new(name, FakeRing.PointOf($"place {name[1..]}"), node.Address, State.Alive, users)));
        return node;
    }

    /// <summary>Ends the server without a word; the others see it dead at once.</summary>
    public async Task KillAsync(string name)
    {
        await StopAsync(name);
        Become(name, State.Dead, "left", $"{name} is dead: no answer for 5 s");
    }

    /// <summary>Ends the server without a word, and nobody in the ring has noticed.</summary>
    public async Task StopAsync(string name)
    {
        _running.Remove(name, out var node);
        await node!.DisposeAsync();
    }

    public void Suspect(string name) => Become(name, State.Suspect, "suspected", $"{name} is suspected by n1");

    /// <summary>The server keeps its connections and says nothing any more.</summary>
    public void Freeze(string name) => _running[name].Frozen = true;

    public void Thaw(string name) => _running[name].Frozen = false;

    public IAsyncEnumerable<ImmutableArray<FakeMember>> WatchAsync(CancellationToken cancellation) =>
        _members.WatchAsync(cancellation);

    public Snapshot SnapshotFor(string seenBy) => FakeRing.SnapshotOf(Members, seenBy, _events);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _running.Values)
            await node.DisposeAsync();
        _authority.Dispose();
    }

    private void Become(string name, State state, string kind, string text)
    {
        var before = SnapshotFor("").Tiles;
        var member = Members.First(m => m.Name == name);
        var users = state == State.Dead ? [] : member.Users;
        var after = Members.Replace(member, member with { State = state, Users = users });
        Happen(kind, name, text);
        foreach (var (old, now) in before.Zip(FakeRing.SnapshotOf(after, "", []).Tiles))
            if (old.Members[0] != now.Members[0])
                Happen("tile_moved", NameAt(now.Members[0]), $"tile {now.Tile} moved to {NameAt(now.Members[0])}");
        _members.Publish(after);
    }

    private string NameAt(string position) =>
        SnapshotFor("").Nodes.First(node => node.Position == position).Name;

    private void Happen(string kind, string node, string text) => _events = _events.Enqueue(new ViewEvent
    {
        Number = ++_eventNumber,
        AtMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        Kind = kind,
        Node = node,
        Text = text,
    });
}
