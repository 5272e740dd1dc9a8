using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, One order for both.</summary>
public sealed class ChatOrderTests
{
    [Fact]
    public void An_answer_stands_after_what_it_answers_although_its_clock_is_behind()
    {
        using var alice = new Side("alice", clockMs: 1_000_000);
        using var bob = new Side("bob", clockMs: 10);
        bob.Take(alice.Write("how are you?", nowMs: 1));
        alice.Take(bob.Write("fine", nowMs: 2));
        Assert.Equal(["how are you?", "fine"], alice.History(bob));
        Assert.Equal(alice.History(bob), bob.History(alice));
    }

    [Fact]
    public void What_crossed_on_the_way_stands_in_one_order_at_both_ends()
    {
        using var alice = new Side("alice");
        using var bob = new Side("bob");
        var first = alice.Write("a1", nowMs: 10);
        var crossed = bob.Write("b1", nowMs: 5);
        var second = alice.Write("a2", nowMs: 20);
        bob.Take(first);
        bob.Take(second);
        alice.Take(crossed);
        Assert.Equal(["b1", "a1", "a2"], bob.History(alice));
        Assert.Equal(bob.History(alice), alice.History(bob));
    }

    /// <summary>The last time that a message may name leaves room for all that come after it.</summary>
    [Fact]
    public void A_message_from_the_end_of_time_does_not_end_the_order()
    {
        using var alice = new Side("alice");
        using var bob = new Side("bob");
        var said = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            var (from, to) = i % 2 == 0 ? (alice, bob) : (bob, alice);
            said.Add($"{9 - i}");
            var letter = from.Write(said[^1], nowMs: i == 0 ? ChatOrder.TimeMax - 10_000 : i);
            to.Take(letter);
        }

        Assert.Equal(said, bob.History(alice));
        Assert.Equal(said, alice.History(bob));
    }

    [Fact]
    public void A_new_device_stands_after_the_old_one_whatever_its_clock_says()
    {
        using var alice = new Side("alice", clockMs: 1_000_000);
        using var bob = new Side("bob");
        bob.Take(alice.Write("from the old phone", nowMs: 1));
        alice.ChangeDevice(clockMs: -1_000_000, bob);
        bob.Take(alice.Write("from the new phone", nowMs: 2));
        Assert.Equal(["from the old phone", "from the new phone"], bob.History(alice));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Whatever_the_clocks_and_the_network_do_both_show_the_same_in_the_end(int seed)
    {
        var random = new Random(seed);
        using var alice = new Side("alice", random.Next(-3_000, 3_000));
        using var bob = new Side("bob", random.Next(-3_000, 3_000));
        var (toAlice, toBob) = (new List<Letter>(), new List<Letter>());
        for (var now = 0; now < 400; now++)
        {
            var isAlices = random.Next(2) == 0;
            var (one, post) = isAlices ? (alice, toAlice) : (bob, toBob);
            switch (random.Next(4))
            {
                case 0 when post.Count > 0:
                    // Mostly in order.
                    var at = random.Next(3) == 0 ? random.Next(post.Count) : 0;
                    one.Take(post[at]);
                    post.RemoveAt(at);
                    break;
                case 1 when random.Next(10) == 0:
                    one.GiveUpGaps();
                    break;
                case 3 when random.Next(10) == 0:
                    one.History(isAlices ? bob : alice);
                    break;
                case 2:
                    (isAlices ? toBob : toAlice).Add(one.Write($"{one.Name} {now}", now, isText: random.Next(4) > 0));
                    break;
            }
        }

        toAlice.ForEach(letter => alice.Take(letter));
        toBob.ForEach(letter => bob.Take(letter));
        Assert.Equal(alice.History(bob), bob.History(alice));
        foreach (var one in new[] { alice, bob })
        {
            var shown = one.History(one == alice ? bob : alice);
            one.Renew();
            Assert.Equal(shown, one.History(one == alice ? bob : alice));
        }

        foreach (var name in new[] { "alice", "bob" })
        {
            var times = alice.History(bob).Where(text => text.StartsWith(name, StringComparison.Ordinal))
                .Select(text => int.Parse(text.Split(' ')[1], null)).ToList();
            Assert.Equal(times.Order(), times);
        }
    }

    /// <summary>docs/e2e.md, One order for both: whoever writes late messages does not pay with a whole chat for each.
    /// Their time is one that moves all later ones.</summary>
    /// <param name="areForgotten">What stood at a number is forgotten: it takes any number of messages.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Late_messages_move_no_others_until_somebody_reads_the_chat(bool areForgotten)
    {
        using var alice = new Side("alice");
        using var bob = new Side("bob");
        var letters = Enumerable.Range(1, 500).Select(i => alice.Write($"{i}", nowMs: i)).ToList();
        foreach (var letter in letters.Where((_, i) => i is 0 or > 20))
            bob.Take(letter);
        bob.GiveUpGaps();
        if (areForgotten)
            bob.Forget(upTo: 30);
        List<Letter> late =
        [
            .. Enumerable.Range(1, 20).Select(i => areForgotten ? letters[1].As(i) : letters[i])
                .Select(letter => new Letter(letter.Arrival with { TimeMs = 1L << 43 })),
        ];

        var before = bob.RowsChanged;
        late.ForEach(bob.Take);
        Assert.InRange(bob.RowsChanged - before, late.Count, 10 * late.Count);

        var history = bob.History(alice);
        Assert.Equal(letters.Take(1).Concat(late).Concat(letters.Skip(21)).Select(letter => letter.Text), history);
        before = bob.RowsChanged;
        Assert.Equal(history, bob.History(alice));
        Assert.Equal(before, bob.RowsChanged);
    }

    /// <summary>Between the message and its order the program ends.</summary>
    [Fact]
    public void A_late_message_gets_its_place_also_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("chordchat-tests").FullName;
        try
        {
            using var alice = new Side("alice");
            var letters = Three(alice);
            using var key = LocalKey.New();
            using (var bob = new Side("bob", file: Path.Combine(folder, "bob.db"), key: key))
            {
                bob.Take(letters[0]);
                bob.Take(letters[2]);
                bob.GiveUpGaps();
                bob.Take(letters[1]);
            }

            using var again = new Side("bob", file: Path.Combine(folder, "bob.db"), key: key);
            Assert.Equal(["1", "2", "3"], again.History(alice));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A chat must be readable also then.</summary>
    [Fact]
    public void A_chat_whose_order_cannot_be_written_is_shown_all_the_same()
    {
        using var alice = new Side("alice");
        using var bob = new Side("bob");
        var letters = Three(alice);
        bob.Take(letters[0]);
        bob.Take(letters[2]);
        bob.GiveUpGaps();
        bob.Take(letters[1]);
        bob.CanWrite = false;
        Assert.Equal(["1", "2", "3"], bob.History(alice).Order());
        bob.CanWrite = true;
        Assert.Equal(["1", "2", "3"], bob.History(alice));
    }

    private static Letter[] Three(Side by) =>
        [by.Write("1", nowMs: 1), by.Write("2", nowMs: 900), by.Write("3", nowMs: 3)];

    private sealed record Letter(Arrival Arrival)
    {
        public string Text => Encoding.UTF8.GetString(Arrival.Text!);

        /// <summary>Another one with the same number.</summary>
        public Letter As(int number) => new(Arrival with
        {
            Id = $"{Arrival.Id[..30]}{number:00}",
            Text = Encoding.UTF8.GetBytes($"{Text}-{number:00}"),
        });
    }

    /// <summary>One end of a chat, without nodes and keys.</summary>
    private sealed class Side(string name, int clockMs = 0, string file = ":memory:", LocalKey? key = null)
        : IDisposable
    {
        private readonly LocalStore _store = LocalStore.Open(file);
        private readonly LocalKey _key = key ?? LocalKey.New();
        private readonly Dictionary<string, uint> _epochs = [];
        private int _clockMs = clockMs;
        private uint _epoch = 1;
        private ulong _seq;

        public string Name => name;

        private string Peer => name == "alice" ? "bob" : "alice";

        private MessageTable Messages => new(name, _key);

        public long RowsChanged => _store.Read(db => db.Scalar<long>("SELECT total_changes()"));

        /// <summary>The whole order anew, whether it is due or not.</summary>
        public void Renew() => _store.Write(db => ChatOrder.Renew(db, Peer));

        public void Forget(int upTo) => _store.Write(db =>
        {
            db.Execute("UPDATE chains SET floor = $1 WHERE mine = 0", upTo);
            db.Execute("DELETE FROM heard WHERE seq <= $1", upTo);
        });

        public bool CanWrite
        {
            set => _store.Read(db => db.Execute($"PRAGMA query_only = {(value ? 0 : 1)}"));
        }

        public void ChangeDevice(int clockMs, Side peer)
        {
            (_clockMs, _epoch, _seq) = (clockMs, _epoch + 1, 0);
            peer._epochs[name] = _epoch;
        }

        public Letter Write(string text, long nowMs, bool isText = true)
        {
            var id = $"{name[0]}{_epoch:x}{++_seq:x28}00";
            var time = 10_000 + nowMs + _clockMs;
            var toEpoch = _epochs.GetValueOrDefault(Peer, 1u);
            var heard = _store.Read(db => db.Scalar<long>(
                "SELECT seq FROM chains WHERE peer = $1 AND mine = 0 AND epoch = $2", Peer, (long)toEpoch));
            var bytes = isText ? Encoding.UTF8.GetBytes(text) : null;
            _store.Write(db =>
            {
                if (bytes is null)
                    return;
                Messages.InsertMine(db, id, Peer, bytes, time);
                MessageTable.SetLink(db, id, new Link(Peer, Mine: true, _epoch, toEpoch, (long)_seq, heard, time));
            });
            return new Letter(new Arrival(
                id, name, _epoch, _seq, Body(_seq), _seq == 1 ? default : Body(_seq - 1), toEpoch, (ulong)heard, time,
                bytes, ""));
        }

        public void Take(Letter letter) => _store.Write(db =>
            new ArrivalTable(Messages).Keep(db, letter.Arrival, wholeHistory: true, 0, new Kept()));

        public void GiveUpGaps() => _store.Write(db =>
            ArrivalTable.GiveUpGaps(db, ArrivalTable.Held(db).Keys.ToHashSet(), new Kept()));

        public List<string> History(Side with) =>
            [.. new History(_store, Messages, new ChangeSignal()).With(with.Name).Select(message => message.Text)];

        public void Dispose()
        {
            _store.Dispose();
            if (key is null)
                _key.Dispose();
        }

        private Digest Body(ulong seq) => new(_epoch, seq);
    }
}
