using System.Buffers.Binary;
using System.Collections.Concurrent;
using ChordChat.Bench.Users;
using ChordChat.Crypto;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Bench.Load;

/// <summary>Messages sealed in advance, for one run. Their ids begin with the time, as those of clients do; the last
/// half of an id is the message's number in here.</summary>
internal sealed class Mail
{
    private readonly ulong _series =
        BinaryPrimitives.ReadUInt64BigEndian(Guid.CreateVersion7().ToByteArray(bigEndian: true));
    private readonly Send[] _sends;

    private Mail(int count) => _sends = new Send[count];

    public int Count => _sends.Length;

    public int EnvelopeBytes => _sends[0].Envelope.Length;

    public Send this[int number] => _sends[number];

    /// <summary>Seals <paramref name="count"/> messages: number i is from the i-th sender to the i-th recipient, round
    /// and round.</summary>
    public static Mail Seal(
        ClusterId cluster, IReadOnlyList<Person> senders, IReadOnlyList<Person> recipients, int count, int textBytes)
    {
        var mail = new Mail(count);
        var content = new MessageContent.Text(new string('x', textBytes));
        // Keys are for one thread at a time; each part takes copies of its own.
        Parallel.ForEach(Partitioner.Create(0, count), part =>
        {
            var keys = new Dictionary<SharedKeys, (DeviceKey Device, EncryptionPublicKey Encryption)>();
            for (var i = part.Item1; i < part.Item2; i++)
                mail._sends[i] = mail.SealOne(
                    cluster, i, senders[i % senders.Count], recipients[i % recipients.Count], content, keys);
        });
        return mail;
    }

    /// <returns>-1 for a message of another run.</returns>
    public int NumberOf(ByteString id) =>
        BinaryPrimitives.ReadUInt64BigEndian(id.Span) == _series
            ? (int)BinaryPrimitives.ReadUInt64BigEndian(id.Span[8..])
            : -1;

    private Send SealOne(
        ClusterId cluster, int number, Person from, Person to, MessageContent content,
        Dictionary<SharedKeys, (DeviceKey Device, EncryptionPublicKey Encryption)> keys)
    {
        var id = new EnvelopeId(new UInt128(_series, (ulong)number));
        var message = new DirectMessage
        {
            From = from.Name,
            FromEntry = from.Entry,
            FromEpoch = 1,
            To = to.Name,
            ToEntry = to.Entry,
            Seq = (ulong)number + 1,
            PreviousBody = default,
            TimeMs = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            Content = content,
        };
        var sealedMessage = DirectEnvelope.Seal(
            cluster, id, message, KeysOf(from).Device, KeysOf(to).Encryption, KeysOf(from).Encryption);
        return new Send
        {
            Id = UnsafeByteOperations.UnsafeWrap(id.ToBytes()),
            To = to.Name,
            Envelope = UnsafeByteOperations.UnsafeWrap(sealedMessage.Envelope),
        };

        (DeviceKey Device, EncryptionPublicKey Encryption) KeysOf(Person person)
        {
            if (!keys.TryGetValue(person.Keys, out var own))
                keys[person.Keys] = own = (
                    DeviceKey.TryImport(person.Keys.Device.Signing.ExportPkcs8())!,
                    EncryptionPublicKey.TryImport(person.Keys.Device.Encryption.PublicModulus.Span)!);
            return own;
        }
    }
}
