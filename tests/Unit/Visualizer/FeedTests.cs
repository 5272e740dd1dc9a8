using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;
using ChordChat.Visualizer.Feed;
using ChordChat.Visualizer.Trust;
using ChordChat.Wire;
using Xunit;
using State = ChordChat.Wire.NodeView.Types.State;

namespace ChordChat.Tests.Unit.Visualizer;

public sealed class FeedTests
{
    [Fact]
    public async Task A_slow_watcher_skips_to_the_newest_value()
    {
        var latest = new Latest<int>(1);
        await using var watcher = latest.WatchAsync().GetAsyncEnumerator();
        Assert.True(await watcher.MoveNextAsync());
        Assert.Equal(1, watcher.Current);

        latest.Publish(2);
        latest.Publish(3);

        Assert.True(await watcher.MoveNextAsync());
        Assert.Equal(3, watcher.Current);
        var waiting = watcher.MoveNextAsync();
        Assert.False(waiting.IsCompleted);
        latest.Publish(4);
        Assert.True(await waiting);
        Assert.Equal(4, watcher.Current);
    }

    [Fact]
    public void After_a_loss_nodes_that_stood_are_asked_first_and_the_lost_one_last()
    {
        var ring = new Snapshot
        {
            Nodes =
            {
                new NodeView { Name = "n1", Address = "a:1", State = State.Alive },
                new NodeView { Name = "n2", Address = "a:2", State = State.Suspect },
                new NodeView { Name = "n3", Address = "unknown", State = State.Alive },
                new NodeView { Name = "n4", Address = "a:4", State = State.Alive },
            },
        };
        Assert.Equal(["a:4", "a:2", "a:1"], RingFeed.KnownAddresses(ring, "n1"));
        Assert.Empty(RingFeed.KnownAddresses(null, null));
    }

    /// <summary>docs/security.md, The page that shows the ring: the page computes with what a node says.</summary>
    [Fact]
    public void A_picture_of_a_lying_node_has_places_times_and_texts_that_a_page_can_draw()
    {
        var place = new string('a', 32);
        var ring = new Snapshot
        {
            AtMs = long.MinValue,
            SeenBy = "n1 is fine",
            Nodes =
            {
                new NodeView { Name = "n1\u202e", Position = place, SinceMs = long.MaxValue, Users = { "a\nb" } },
                new NodeView { Name = "n2", Position = "nowhere" },
            },
            Tiles = { new TileView { Start = place, End = place }, new TileView { Start = place, End = "" } },
        };
        for (var i = 0; i < 1_000; i++)
            ring.Events.Add(
                new ViewEvent { Number = (ulong)i, AtMs = 9_000_000_000_000_000_000, Text = new('x', 1_000) });
        PlainPicture.Make(ring);
        Assert.Equal((0, "?"), (ring.AtMs, ring.SeenBy));
        var node = Assert.Single(ring.Nodes);
        Assert.Equal(("?", "a\ufffdb"), (node.Name, Assert.Single(node.Users)));
        Assert.Single(ring.Tiles);
        Assert.Equal(999ul, ring.Events[^1].Number);
        Assert.Equal(200, ring.Events.Count);
        Assert.All(ring.Events, one => Assert.InRange(one.AtMs, 0, 8_640_000_000_000_000)); // ECMAScript's last day.
        Assert.All(ring.Events, one => Assert.InRange(one.Text.Length, 1, 300));

        var trace = new TraceReply { Position = place, Members = { place, "?" } };
        trace.Hops.Add(Enumerable.Repeat(new TraceHop { Position = place, Name = "\u001b", Ms = double.NaN }, 1_000));
        Assert.True(PlainPicture.TryMake(trace));
        Assert.False(PlainPicture.TryMake(new TraceReply { Position = "x" }));
        Assert.Equal([place], trace.Members);
        Assert.InRange(trace.Hops.Count, 1, 200);
        Assert.All(trace.Hops, hop => Assert.Equal((0, "?"), (hop.Ms, hop.Name)));
    }

    /// <summary>docs/security.md, The page that shows the ring: it compares each node with each.</summary>
    [Fact]
    public void Of_more_than_any_ring_has_the_page_gets_so_much_as_it_can_draw()
    {
        var place = new string('a', 32);
        var ring = new Snapshot();
        for (var i = 0; i < 10_000; i++)
            ring.Nodes.Add(new NodeView { Position = place, Id = $"{i}" });
        for (var i = 0; i < 100_000; i++)
            ring.Tiles.Add(new TileView { Start = place, End = place });
        var (node, tile) = (ring.Nodes[0], ring.Tiles[0]);
        node.Successors.Add([.. Enumerable.Repeat(place, 1_000), "nowhere"]);
        node.Users.Add(Enumerable.Repeat("u", 1_000));
        node.Fingers.Add(Enumerable.Range(0, 1_000).Select(_ => new FingerView { Position = place }));
        tile.Members.Add(Enumerable.Repeat(place, 1_000));

        PlainPicture.Make(ring);

        Assert.Equal((4_096, 65_536), (ring.Nodes.Count, ring.Tiles.Count));
        Assert.Equal(
            (64, 500, 128, 64), (node.Successors.Count, node.Users.Count, node.Fingers.Count, tile.Members.Count));
    }

    [Theory]
    [InlineData(State.Alive, 7, false)] // As before it fell silent.
    [InlineData(State.Alive, 8, true)]
    [InlineData(State.Suspect, 0, true)]
    [InlineData(State.Dead, 0, true)]
    public void A_silent_node_is_shown_as_such_until_the_ring_knows_or_it_has_started_again(
        State state, long since, bool noticed)
    {
        var before = Seen(State.Alive, 7);
        Assert.Equal(noticed, RingFeed.HasNoticed("n2", before, Seen(state, since)));
        Assert.True(RingFeed.HasNoticed("n3", before, Seen(state, since)));

        static Snapshot Seen(State state, long since) => new()
        {
            Nodes =
            {
                new NodeView { Name = "n1", State = State.Alive, SinceMs = 1 },
                new NodeView { Name = "n2", State = state, SinceMs = since },
            },
        };
    }

    [Fact]
    public void Only_the_newest_notes_are_kept()
    {
        var eyes = Eyes.Closed;
        for (var i = 0; i < 50; i++)
            eyes = eyes.With(new EyesNote(DateTimeOffset.UnixEpoch, "n1", $"{i}"));
        Assert.Equal(Enumerable.Range(30, 20).Select(i => $"{i}"), eyes.Notes.Select(note => note.Text));
    }

    [Fact]
    public void The_first_authority_is_pinned_and_another_is_refused()
    {
        using var ours = FindingTests.Authority();
        using var theirs = FindingTests.Authority();
        using var node = Issue(ours);
        using var stranger = Issue(theirs);
        var pin = new AuthorityPin(null);

        Assert.False(pin.Accepts(stranger, ours.RawData), "an authority is not believed that did not sign the node");
        Assert.Null(pin.Authority);
        Assert.True(pin.Accepts(node, ours.RawData));
        Assert.False(pin.Accepts(stranger, theirs.RawData));
        Assert.True(pin.Accepts(node, ours.RawData));
        Assert.False(new AuthorityPin(theirs.RawData).Accepts(node, ours.RawData), "what was given is the pin");
    }

    /// <summary>As clients do: whoever has the certificate of another page could show any ring.</summary>
    [Theory]
    [InlineData(CertificateName.Viewer)]
    [InlineData(CertificateName.Operator)]
    public void What_the_authority_signed_for_others_makes_no_node(string role)
    {
        using var ours = FindingTests.Authority();
        using var page = Issue(ours, role);
        using var node = Issue(ours, "00112233445566778899aabbccddeeff");
        var pin = new AuthorityPin(ours.RawData);

        Assert.False(pin.Accepts(page, ours.RawData));
        Assert.Contains("not of a node", pin.Objection(page, ours.RawData, "10.0.0.5:7401"), StringComparison.Ordinal);
        Assert.True(pin.Accepts(node, ours.RawData));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string? role = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        if (role is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new CertificateName("00112233445566778899aabbccddeeff", role).ToUri());
            request.CertificateExtensions.Add(names.Build());
        }

        return request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
    }
}
