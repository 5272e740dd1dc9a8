using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Checkers;
using ChordChat.Tests.Simulation.World;
using Lists = ChordChat.Tests.Simulation.Replication.History;
using Outcome = ChordChat.Tests.Checkers.Outcome;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>People who append, read, claim names, send, read their mail and acknowledge it, each time at any
/// node.</summary>
internal sealed class SwarmClients
{
    private const int TriesMax = 3;

    /// <summary>A mistake's ids for what it sends once more.</summary>
    private const uint AnewFrom = 1_000_000;

    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(4);
    private readonly SwarmCluster _cluster;
    private readonly Prng _random;
    private readonly Place[] _lists = [Place.Of("acct", "a"), Place.Of("acct", "b"), Place.Of("acct", "c")];
    private readonly Place[] _boxes = [Place.Of("mbox", "x"), Place.Of("mbox", "y"), Place.Of("mbox", "z")];
    private readonly Place[] _names;
    private readonly List<Reading> _readings = [];
    private readonly List<(Place Box, uint Id)> _kept = [];
    private uint _operation;

    public SwarmClients(SwarmCluster cluster)
    {
        (_cluster, _random) = (cluster, new Prng(cluster.Plan.Seed ^ 0xC11E_4715));
        // A name that is taken long ago shows nothing of a mistake in taking it.
        var names = TakesNamesOnly ? 240 : 12;
        _names = [.. Enumerable.Range(0, names).Select(i => Place.Of("acct", $"name{i}"))];
    }

    public SwarmHistory History { get; } = new();

    /// <summary>Messages that their senders were not yet told to be kept.</summary>
    public int OutboxCount { get; private set; }

    private SimulatedWorld<SwarmMessage> World => _cluster.World;

    /// <summary>So rare is it that only one copy has a claim when another one comes.</summary>
    private bool TakesNamesOnly => _cluster.Plan.Mistake == SwarmMistake.BelievesOneCopy;

    /// <summary>Begins one operation of the mix at any node.</summary>
    public void Operate()
    {
        if (Somebody() is not { } node)
            return;
        switch (TakesNamesOnly ? 2 : _random.Pick(_cluster.Plan.Mix))
        {
            case 0: Append(node); break;
            case 1: Read(node, _random.Pick(_lists)); break;
            case 2: Name(node); break;
            case 3: Send(); break;
            case 4: Scan(node, _random.Pick(_boxes)); break;
            default: Acknowledge(node); break;
        }
    }

    /// <summary>Everything once at one node, to see whether it works again; true once all of it was answered.</summary>
    public Func<bool> TryEverything(SwarmNode node)
    {
        var lists = _lists.Select(list => Read(node, list)).ToArray();
        var boxes = _boxes.Select(box => Scan(node, box)).ToArray();
        return () => lists.All(list => list.IsAnswered) && boxes.All(box => box.Returned is not null);
    }

    /// <summary>The first thing wrong with all that clients saw, or null.</summary>
    public string? Fault()
    {
        foreach (var reading in _readings)
            if (!reading.Told)
            {
                reading.Told = true;
                History.Mailboxes.Read(reading.Box, reading.Ids, reading.Invoked, reading.Returned);
            }

        return History.Fault();
    }

    private SwarmNode? Somebody()
    {
        var up = _cluster.Nodes.Where(node => node.Serves).ToArray();
        return up.Length == 0 ? null : _random.Pick(up);
    }

    private string NewClient() => $"c{++_operation}";

    private void At(SwarmNode node, Action<Gateway> action) =>
        World.After(node.Number, TimeSpan.Zero, () => action(new Gateway(node)));

    private void Append(SwarmNode node)
    {
        var id = ++_operation;
        var place = _random.Pick(_lists);
        var call = History.Lists.Begin($"{node.Self}", place.Name, $"{id}", World.Now);
        At(node, gateway => gateway.Change(
            place,
            list => Lists.Entries(list.Span).Contains(id) ? null : Lists.Append(list.Span, id),
            outcome => Return(call, place, outcome switch
            {
                RegisterChangeOutcome.Stored stored => (Outcome.Ok, UpTo(id, stored.Value)),
                RegisterChangeOutcome.Refused refused => (Outcome.Ok, UpTo(id, refused.Current)),
                RegisterChangeOutcome.Unavailable => (Outcome.Unavailable, default),
                _ => (Outcome.Unknown, default),
            })));
    }

    /// <summary>The list as the append left it; others may have appended before it was answered.</summary>
    private static ReadOnlyMemory<byte> UpTo(uint entry, ReadOnlyMemory<byte> list) =>
        list[..(4 * (Array.IndexOf(Lists.Entries(list.Span), entry) + 1))];

    private Operation<string?, IReadOnlyList<string>> Read(SwarmNode node, Place place)
    {
        var call = History.Lists.Begin($"{node.Self}", place.Name, null, World.Now);
        At(node, gateway => gateway.Read(place, outcome => Return(call, place, outcome switch
        {
            RegisterReadOutcome.Agreed agreed => (Outcome.Ok, agreed.Value),
            _ => (Outcome.Unavailable, default),
        })));
        return call;
    }

    private void Return(
        Operation<string?, IReadOnlyList<string>> call, Place place, (Outcome Outcome, ReadOnlyMemory<byte> Value) end)
    {
        if (end.Outcome == Outcome.Ok)
            _cluster.Watch.Promised(place.Name, end.Value);
        call.Return(end.Outcome, [.. Lists.Entries(end.Value.Span).Select(entry => $"{entry}")], World.Now);
    }

    private void Name(SwarmNode node)
    {
        var place = _random.Pick(_names);
        if (_random.Chance(0.3))
        {
            var ask = History.Names.Begin($"{node.Self}", place.Name, new NameCall.Ask(), World.Now);
            At(node, gateway => gateway.Read(place, outcome =>
            {
                if (outcome is RegisterReadOutcome.Agreed(var value))
                    ask.Return(Outcome.Ok, value.IsEmpty ? null : Encoding.ASCII.GetString(value.Span), World.Now);
            }));
            return;
        }

        var owner = NewClient();
        var claim = History.Names.Begin($"{node.Self}", place.Name, new NameCall.Claim(owner), World.Now);
        At(node, gateway => Claim(gateway, place, owner, claim, 1));
        if (_random.Chance(0.7) && Somebody() is { } rival)
            At(rival, gateway =>
            {
                var second = NewClient();
                Claim(gateway, place, second, History.Names.Begin(
                    $"{rival.Self}", place.Name, new NameCall.Claim(second), World.Now), 1);
            });
    }

    /// <summary>Create if absent; after an unknown outcome again, as the same operation.</summary>
    private void Claim(Gateway gateway, Place place, string owner, Operation<NameCall, string?> call, int tries)
    {
        var bytes = Encoding.ASCII.GetBytes(owner);
        if (_cluster.Plan.Mistake == SwarmMistake.ReadThenWrite)
        {
            gateway.Read(place, seen =>
            {
                if (seen is RegisterReadOutcome.Agreed { Value.IsEmpty: true })
                    gateway.Change(place, _ => bytes, outcome => End(outcome, bytes));
            });
            return;
        }

        if (_cluster.Plan.Mistake == SwarmMistake.BelievesOneCopy)
        {
            gateway.Read(place, seen =>
            {
                var found = seen switch
                {
                    RegisterReadOutcome.Agreed(var value) => value,
                    RegisterReadOutcome.Unavailable(var newest, _, _) => newest?.Shown ?? default,
                    _ => default,
                };
                if (found.IsEmpty)
                    Create();
                else
                    End(new RegisterChangeOutcome.Refused(found), bytes);
            });
            return;
        }

        Create();

        void Create() => gateway.Change(
            place, current => current.IsEmpty ? (ReadOnlyMemory<byte>?)bytes : null, outcome => End(outcome, bytes));

        void End(RegisterChangeOutcome outcome, byte[] mine)
        {
            if (outcome is RegisterChangeOutcome.Stored)
                call.Return(Outcome.Ok, owner, World.Now);
            else if (outcome is RegisterChangeOutcome.Refused(var current) && current.Span.SequenceEqual(mine))
                call.Return(Outcome.Ok, owner, World.Now);
            else if (outcome is RegisterChangeOutcome.Refused(var other))
                call.Return(Outcome.Refused, Encoding.ASCII.GetString(other.Span), World.Now);
            else if (_cluster.Plan.Mistake == SwarmMistake.RetriesAnew)
                call.Return(Outcome.Unavailable, null, World.Now);
            else if (tries < TriesMax)
                Claim(gateway, place, owner, call, tries + 1);
            else if (outcome is RegisterChangeOutcome.Unavailable && tries == 1)
                call.Return(Outcome.Unavailable, null, World.Now);
        }
    }

    private void Send()
    {
        var (box, id) = (_random.Pick(_boxes), ++_operation);
        History.Mailboxes.Sent(box.Name, $"{id}", $"s{id}", World.Now);
        OutboxCount++;
        Try(new Letter(box, id, World.Now));
    }

    /// <summary>The sender's device tries one node after the other until one says that the message is kept.</summary>
    private void Try(Letter letter)
    {
        if (letter.IsKept || letter.IsTooLate)
            return;
        var number = ++letter.Tries;
        var id = _cluster.Plan.Mistake == SwarmMistake.RetriesAnew && number > 1 ? AnewFrom + ++_operation : letter.Id;
        var message = new SetMessage(new MessageId(id), BitConverter.GetBytes(letter.Id));
        if (Somebody() is { } node)
            At(node, gateway => gateway.Add(letter.Box, message, letter.First, outcome =>
            {
                if (outcome is SetAddOutcome.Stored)
                    Keep(letter);
                else if (outcome is SetAddOutcome.TooLate)
                    GiveUpOn(letter);
                else if (letter.Tries == number)
                    World.After(_random.Between(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(2)), () => Try(letter));
            }));
        World.After(GiveUp, () =>
        {
            if (letter.Tries == number)
                Try(letter);
        });
    }

    /// <summary>Its sender is told that it may have been kept or not.</summary>
    private void GiveUpOn(Letter letter)
    {
        OutboxCount -= letter.IsKept || letter.IsTooLate ? 0 : 1;
        letter.IsTooLate = true;
    }

    private void Keep(Letter letter)
    {
        if (letter.IsKept)
            return;
        OutboxCount -= letter.IsTooLate ? 0 : 1;
        letter.IsKept = true;
        _kept.Add((letter.Box, letter.Id));
        History.Mailboxes.Kept(letter.Box.Name, $"{letter.Id}", World.Now);
        if (_cluster.Plan.Mistake != SwarmMistake.RetriesAnew)
            _cluster.Watch.Kept(letter.Box.Name, new MessageId(letter.Id));
        if (_cluster.Plan.Aging is { } aging && _random.Chance(0.5))
            World.After(_random.Between(TimeSpan.Zero, aging.Ages.TombstoneAge * 2), () => HandInAgain(letter));
    }

    /// <summary>A device that slept, and has not heard that its message is kept.</summary>
    private void HandInAgain(Letter letter)
    {
        if (!_cluster.IsCalm && Somebody() is { } node)
            At(node, gateway => gateway.Add(
                letter.Box, new(new(letter.Id), BitConverter.GetBytes(letter.Id)), letter.First, _ => { }));
    }

    private Reading Scan(SwarmNode node, Place box)
    {
        var reading = new Reading(box.Name, World.Now);
        _readings.Add(reading);
        At(node, gateway => gateway.Scan(
            box,
            messages => reading.Ids.AddRange(
                messages.Select(message => $"{BitConverter.ToUInt32(message.Content.Span)}")),
            outcome =>
            {
                if (outcome is SetScanOutcome.Complete)
                    reading.Returned = World.Now;
            }));
        return reading;
    }

    private void Acknowledge(SwarmNode node)
    {
        if (_kept.Count == 0)
            return;
        var (box, id) = _random.Pick(_kept);
        History.Mailboxes.Acknowledging(box.Name, $"{id}", World.Now);
        _cluster.Watch.Burying(box.Name, new MessageId(id));
        At(node, gateway => gateway.Acknowledge(box, new MessageId(id), outcome =>
        {
            if (outcome is not SetAcknowledgeOutcome.Stored)
                return;
            History.Mailboxes.Acknowledged(box.Name, $"{id}", World.Now);
            _cluster.Watch.Buried(box.Name, new MessageId(id));
        }));
    }

    private sealed class Letter(Place box, uint id, TimeSpan first)
    {
        public TimeSpan First => first;
        public bool IsTooLate { get; set; }
        public Place Box => box;
        public uint Id => id;
        public int Tries { get; set; }
        public bool IsKept { get; set; }
    }

    internal sealed class Reading(string box, TimeSpan invoked)
    {
        public string Box => box;
        public TimeSpan Invoked => invoked;
        public TimeSpan? Returned { get; set; }
        public List<string> Ids { get; } = [];
        public bool Told { get; set; }
    }
}
