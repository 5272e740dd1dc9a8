using ChordChat.Crypto.KeyLogs;

namespace ChordChat.Crypto.Messages;

/// <summary>An opened envelope whose signature nobody has checked yet: it says only whom to look up.</summary>
/// <remarks>docs/e2e.md, Receiving: steps 1 to 5 are done, <see cref="Verify"/> does 6 to 8.</remarks>
public sealed class UnverifiedMessage
{
    private readonly EnvelopeHeader _header;
    private readonly DirectMessage _message;
    private readonly byte[] _prefixHash;
    private readonly byte[] _body;
    private readonly byte[] _signature;
    private readonly string _me;

    internal UnverifiedMessage(
        EnvelopeHeader header, DirectMessage message, byte[] prefixHash, byte[] body, byte[] signature, string me) =>
        (_header, _message, _prefixHash, _body, _signature, _me) = (header, message, prefixHash, body, signature, me);

    public EnvelopeId Id => _header.Id;

    /// <summary>Who claims to have sent it: fetch this user's key log.</summary>
    public string From => _message.From;

    /// <summary>The entry of that log that it needs; when a cached log lacks it, fetch the log again.</summary>
    public Digest FromEntry => _message.FromEntry;

    /// <summary>The other side of the conversation, whoever sent it.</summary>
    public string Peer => From == _me ? _message.To : From;

    /// <summary>Checks the signature with the device key that the sender's log names.</summary>
    /// <param name="sender">The accepted log of <see cref="From"/>: it follows the pin.</param>
    /// <param name="mine">This user's own log.</param>
    /// <returns>The message; null when it is not genuine, or the log is not the sender's: drop it silently.</returns>
    public OpenedMessage? Verify(KeyLog sender, KeyLog mine)
    {
        if (sender.User != From || mine.User != _me)
            return null;
        if (sender.Cluster != _header.Cluster || mine.Cluster != _header.Cluster)
            return null;
        if (sender.Find(FromEntry) is not { } entry || entry.Epoch != _message.FromEpoch)
            return null;
        if (!DirectEnvelope.Verify(entry.DeviceKey, _prefixHash, _body, _signature))
            return null;
        return new(_header.Id, _message, DirectEnvelope.BodyHashOf(_body))
        {
            IsOwn = From == _me,
            IsFromReplacedDevice = entry.Epoch < sender.Head.Epoch,
            IsWrongKeyForMe = _message.To == _me && mine.Find(_message.ToEntry) is null,
        };
    }
}
