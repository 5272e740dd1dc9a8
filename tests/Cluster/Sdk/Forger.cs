using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Wire;
using Google.Protobuf;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>A user with an account and without a client, who signs whatever they like.</summary>
internal sealed class Forger
{
    private readonly FakeCluster _cluster;
    private readonly string _name;
    private readonly DeviceKeys _device;
    private readonly KeyLog _log;

    public Forger(FakeCluster cluster, string name)
    {
        (_cluster, _name, _device) = (cluster, name, cluster.Keys.Device());
        using var identity = cluster.Keys.Identity();
        var entry = KeyLogEntryBuilder.Create(
            cluster.Id, name, 1_764_000_000_000, identity, _device, default, KdfParameters.New());
        _log = KeyLog.Verify(cluster.Id, name, [entry.Bytes.ToArray()])!;
        cluster.Accounts[name] = new FakeAccount("secret", []) { Log = _log };
    }

    /// <param name="id">Of an earlier message; a new one if null.</param>
    /// <param name="key">To which it is sealed; theirs if null.</param>
    /// <param name="toEntry">The entry that stands for the recipient's key; theirs if null.</param>
    public Push Seal(string to, ulong seq, string text, ByteString? id = null, Digest? toEntry = null,
        bool doNotStore = false, EncryptionPublicKey? key = null)
    {
        var theirs = _cluster.Accounts[to].Log!;
        var sealedId = id is null ? EnvelopeId.New() : EnvelopeId.FromBytes(id.Span);
        var made = DirectEnvelope.Seal(
            _cluster.Id, sealedId,
            new DirectMessage
            {
                From = _name,
                FromEntry = _log.Head.Hash,
                FromEpoch = 1,
                To = to,
                ToEntry = toEntry ?? theirs.Head.Hash,
                Seq = seq,
                PreviousBody = default,
                AckSeq = 0,
                AckBody = default,
                TimeMs = 1_764_000_000_000,
                Content = new MessageContent.Text(text),
            },
            _device.Signing, key ?? theirs.Head.EncryptionKey, _log.Head.EncryptionKey, doNotStore);
        return new Push
        {
            Id = ByteString.CopyFrom(sealedId.ToBytes()),
            Envelope = ByteString.CopyFrom(made.Envelope),
        };
    }

    /// <summary>Hands it in, past whatever an honest node would say.</summary>
    public void Send(string to, Push push)
    {
        _cluster.Accounts[to].Add(push);
        _cluster.Sessions[to].Push(push);
    }
}
