using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#contested-registers: node 0 goes on in a tile of 0, 1 and 2, and 1 chooses well when it
/// answers.</summary>
public sealed class ContestPatienceTests
{
    private const int Liar = 1;

    private readonly Bench _bench = new(values: new OwnedValues());
    private readonly Queue<Effect.Send> _queue = [];
    private readonly List<Effect.Send> _held = []; // What the liar was asked and has not answered.
    private int _named;

    /// <summary>It has prepared registers of which the others hold different values. Once a second it answers about one
    /// contest, and begins another one.</summary>
    [Fact]
    public void One_that_begins_a_contest_each_second_holds_up_nobody_for_longer_than_it_may()
    {
        for (var i = 0; i < 300; i++)
        {
            Plant(0, $"p{i:000}", 1, "a1");
            Plant(2, $"p{i:000}", 2, "b1");
            Plant(0, Named(i), 1, "a1");
        }

        End();

        var rings = Run(most: 120, pageBytes: 1_000, learner =>
        {
            if (_held.Find(send => send.Request is ReplicaRequest.Pull { BytesMax: 1, After.Name: [not 'n', ..] })
                is { } question)
                Answer(learner, question, TilePage.Empty);
            Name(learner, 1);
            Pass(learner);
        });

        Assert.Equal(TilePhase.Active, _bench.Replicas[0].Header(Tile)!.Phase);
        Assert.InRange(rings, 10, 20);
    }

    /// <summary>It begins contests right before each second is over, and answers about them before the other one
    /// can.</summary>
    [Fact]
    public void One_that_answers_soon_is_heard_to_the_end_though_another_one_makes_it_look_late()
    {
        for (var i = 0; i < 3_000; i++)
        {
            Plant(0, Named(i), 1, "a1");
            Plant(2, Named(i), 1, "a1");
        }

        End();
        _bench.Ignores = (node, request) => node == 2 && request is ReplicaRequest.Pull { BytesMax: > 1 };

        Run(most: 30, pageBytes: 1 << 16, learner =>
        {
            Name(learner, 80);
            Pass(learner, onlyOwn: true);
            while (_held.Find(send => send.Request is ReplicaRequest.Pull { BytesMax: 1 }) is { } question)
                Answer(learner, question, new TilePage([Row(question)], [], null));
        });

        Assert.InRange(_named, 2_000, 3_000);
        Assert.All(Enumerable.Range(0, 2_000), i =>
            Assert.Equal("a1", Text(_bench.Stores[0].GetRegister(Tile, Named(i)).Value)));
    }

    /// <summary>It was overloaded once, and contests that nobody else answers come first by their names.</summary>
    [Fact]
    public void One_that_was_overloaded_is_asked_again_whatever_else_is_open()
    {
        for (var i = 0; i < 200; i++)
        {
            Plant(0, $"c{i:000}", 1, "a1");
            Plant(2, $"c{i:000}", 2, "c1");
            Plant(0, Named(i), 1, "a1");
            Plant(2, Named(i), 1, "a1");
        }

        End();
        var asked = new HashSet<ReplicaRequest>(ReferenceEqualityComparer.Instance);
        _bench.Lie = (node, request) => node == 2 && request is ReplicaRequest.Pull { BytesMax: 1 } pull
            && pull.After >= TileCursor.Before(Named(0)) && asked.Add(request) ? new ReplicaReply.TooMany() : null;
        var isFirst = true;

        Run(most: 40, pageBytes: 1_000, learner =>
        {
            if (isFirst)
                Name(learner, 9);
            isFirst = false;
        });

        Assert.Equal(9, asked.Count);
        Assert.Equal(TilePhase.Active, _bench.Replicas[0].Header(Tile)!.Phase);
        Assert.All(Enumerable.Range(0, 9), i =>
            Assert.Equal("a1", Text(_bench.Stores[0].GetRegister(Tile, Named(i)).Value)));
    }

    /// <param name="lie">What the liar does right before the timer rings.</param>
    /// <returns>How often it has rung.</returns>
    private int Run(int most, int pageBytes, Action<Learner> lie)
    {
        var learner = new Learner(
            _bench.Ids[0], _bench.Replicas[0].Header(Tile)!,
            CoordinatorOptions.Default with { PullBytesMax = pageBytes }, 1);
        Take(learner.Start());
        for (var rings = 0; ; rings++)
        {
            Pass(learner);
            if (learner.IsDone || rings == most)
                return rings;
            lie(learner);
            Take(learner.OnTimeout());
        }
    }

    /// <summary>Sends a page of registers that contradict.</summary>
    private void Name(Learner learner, int count)
    {
        if (_held.FindLast(send => send.Request is ReplicaRequest.Pull { BytesMax: > 1 }) is not { } pull)
            return;
        var rows = Enumerable.Range(_named, count).Select(Row).ToImmutableArray();
        _named += count;
        Answer(learner, pull, new TilePage(rows, [], new(Entries: false, rows[^1].Key, default)));
    }

    private TransferredRegister Row(Effect.Send question) => Row(Enumerable.Range(0, _named).First(
        i => TileCursor.Before(Named(i)) == ((ReplicaRequest.Pull)question.Request).After));

    private TransferredRegister Row(int number) =>
        new(Named(number), new Ballot(1, 99, _bench.Ids[Liar], 1), Bytes("b1"));

    private void Answer(Learner learner, Effect.Send send, TilePage page)
    {
        _held.RemoveAll(held => ReferenceEquals(held.Request, send.Request));
        Take(learner.On(send.To, send.Request, new ReplicaReply.Pulled(page, Complete: false)));
    }

    /// <summary>Lets all but the liar answer, until nothing more is on its way.</summary>
    private void Pass(Learner learner, bool onlyOwn = false)
    {
        var later = new List<Effect.Send>();
        while (_queue.TryDequeue(out var send))
            if (onlyOwn && send.To != _bench.Ids[0])
                later.Add(send);
            else if (_bench.Ids.IndexOf(send.To) is var node && _bench.Ignores?.Invoke(node, send.Request) != true)
                Take(learner.On(
                    send.To, send.Request, _bench.Lie?.Invoke(node, send.Request) ?? _bench.Ask(node, send.Request)));
        later.ForEach(_queue.Enqueue);
    }

    private void Take(IReadOnlyList<Effect> effects)
    {
        foreach (var send in effects.OfType<Effect.Send>().ToList())
            if (send.To == _bench.Ids[Liar])
                _held.Add(send);
            else
                _queue.Enqueue(send);
    }

    private static string Named(int number) => $"n{number:0000}";

    private void Plant(int node, string key, ulong round, string value)
    {
        var ballot = new Ballot(1, round, _bench.Ids[Liar], 1);
        _bench.Stores[node].PutRegister(Tile, key, new RegisterRow(ballot, ballot, Bytes(value)));
    }

    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1));
}
