using System.Buffers.Binary;
using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>What clients asked for and were told, with the times; and the judgement over it.</summary>
internal sealed class History
{
    private readonly List<Access> _accesses = [];
    private readonly Dictionary<(string Set, uint Id), Message> _messages = [];
    private readonly List<Reading> _readings = [];

    /// <summary>How many operations were told that they are done.</summary>
    public int AcknowledgedCount =>
        _accesses.Count(access => access.Returned is not null) + StoredMessages.Count();

    public IEnumerable<(string Set, uint Id)> StoredMessages =>
        _messages.Where(message => message.Value.Stored is not null).Select(message => message.Key);

    public Access BeginAccess(string key, uint operation, bool appends, TimeSpan now)
    {
        var access = new Access(key, operation, appends, now);
        _accesses.Add(access);
        return access;
    }

    public Message BeginAdd(string set, uint id) => _messages[(set, id)] = new Message();

    public Message MessageOf(string set, uint id) => _messages[(set, id)];

    public Reading BeginReading(string set, TimeSpan now)
    {
        var reading = new Reading(set, now);
        _readings.Add(reading);
        return reading;
    }

    /// <summary>The first thing that is wrong, in words, or null.</summary>
    public string? Fault() =>
        _accesses.GroupBy(access => access.Key).Select(RegisterFault).FirstOrDefault(fault => fault is not null)
        ?? _readings.Select(ReadingFault).FirstOrDefault(fault => fault is not null);

    /// <summary>Append-only lists: all lists ever returned are prefixes of each other, and nothing that had been
    /// returned when an operation began is missing in what it returns. That is linearizability for such a
    /// register.</summary>
    private static string? RegisterFault(IEnumerable<Access> accesses)
    {
        var returned = accesses.Where(access => access.Returned is not null)
            .OrderBy(access => access.List.Length).ToArray();
        for (var i = 1; i < returned.Length; i++)
            if (!returned[i].List.AsSpan().StartsWith(returned[i - 1].List))
                return $"fork of {returned[i].Key}: [{Text(returned[i - 1].List)}] and [{Text(returned[i].List)}]";
        foreach (var access in returned)
        {
            if (access.List.Distinct().Count() != access.List.Length)
                return $"appended twice: [{Text(access.List)}]";
            if (access.Appends && !access.List.Contains(access.Operation))
                return $"append {access.Operation} was stored but is not in its own result [{Text(access.List)}]";
        }

        var byReturn = returned.OrderBy(access => access.Returned).ToArray();
        var (longest, next) = (0, 0);
        foreach (var access in returned.OrderBy(access => access.Invoked))
        {
            for (; next < byReturn.Length && byReturn[next].Returned < access.Invoked; next++)
                longest = Math.Max(longest, byReturn[next].List.Length);
            if (access.List.Length < longest)
                return $"operation {access.Operation} returned {access.List.Length} entries of {access.Key}, "
                    + $"where {longest} had been seen before it began";
            if (access.Appends && Array.IndexOf(access.List, access.Operation) < longest)
                return $"append {access.Operation} took effect before it was asked for";
        }

        return null;
    }

    /// <summary>A complete reading has every message that was stored before it began, unless somebody began to
    /// acknowledge it; none twice, none invented, none whose acknowledgement was over before.</summary>
    private string? ReadingFault(Reading reading)
    {
        if (reading.Messages.Distinct().Count() != reading.Messages.Count)
            return $"a reading of {reading.Set} gave a message twice";
        foreach (var id in reading.Messages)
        {
            if (!_messages.TryGetValue((reading.Set, id), out var message))
                return $"a reading of {reading.Set} gave {id}, which nobody added";
            if (message.Buried < reading.Invoked)
                return $"message {id} came back after its acknowledgement";
        }

        if (reading.Returned is null)
            return null;
        foreach (var ((set, id), message) in _messages)
            if (set == reading.Set && message.Stored < reading.Invoked
                && !(message.Burying < reading.Returned) && !reading.Messages.Contains(id))
                return $"stored message {id} of {set} is lost";
        return null;
    }

    private static string Text(uint[] list) => string.Join(' ', list);

    public static byte[] Append(ReadOnlySpan<byte> list, uint entry)
    {
        var longer = new byte[list.Length + 4];
        list.CopyTo(longer);
        BinaryPrimitives.WriteUInt32BigEndian(longer.AsSpan(list.Length), entry);
        return longer;
    }

    public static uint[] Entries(ReadOnlySpan<byte> list)
    {
        var entries = new uint[list.Length / 4];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = BinaryPrimitives.ReadUInt32BigEndian(list[(4 * i)..]);
        return entries;
    }

    /// <summary>An append to a register, or a read of it.</summary>
    internal sealed class Access(string key, uint operation, bool appends, TimeSpan invoked)
    {
        public string Key => key;
        public uint Operation => operation;
        public bool Appends => appends;
        public TimeSpan Invoked => invoked;
        public TimeSpan? Returned { get; private set; }
        public uint[] List { get; private set; } = [];

        public void Return(ReadOnlyMemory<byte> value, TimeSpan now) => (List, Returned) = (Entries(value.Span), now);
    }

    internal sealed class Message
    {
        public TimeSpan? Stored { get; set; }
        public TimeSpan? Burying { get; set; }
        public TimeSpan? Buried { get; set; }
    }

    internal sealed class Reading(string set, TimeSpan invoked)
    {
        public string Set => set;
        public TimeSpan Invoked => invoked;
        public TimeSpan? Returned { get; set; }
        public List<uint> Messages { get; } = [];

        public void Take(IReadOnlyList<Effect> effects)
        {
            foreach (var deliver in effects.OfType<Effect.Deliver>())
                Messages.AddRange(deliver.Messages.Select(message => (uint)message.Id.Value));
        }
    }
}
