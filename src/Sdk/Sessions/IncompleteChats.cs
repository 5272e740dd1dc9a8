using ChordChat.Crypto;

namespace ChordChat.Sdk.Sessions;

/// <summary>Chats of which a reading of the mailbox brought something that could not be looked at, so that it has to
/// come again. Until then nothing can be said of their beginning or of what is missing in them.</summary>
/// <remarks>Of one session. Not safe for threads.</remarks>
internal sealed class IncompleteChats
{
    /// <summary>Beyond this many, all chats count as incomplete.</summary>
    public const int CountMax = 1024;

    private const ulong NotAskedYet = ulong.MaxValue;

    /// <summary>For each the number of the reading that brings the rest; the default stands for all chats.</summary>
    private readonly Dictionary<Digest, ulong> _chats = [];

    /// <summary>Something of this chat has to come again, by a reading that is not asked for yet.</summary>
    /// <param name="chat">Null if what came does not say of which chat it is.</param>
    public void Add(Digest? chat) =>
        _chats[chat is { } known && _chats.Count < CountMax ? known : default] = NotAskedYet;

    /// <summary>What there is now comes again by this reading.</summary>
    public void Asked(ulong reading)
    {
        foreach (var chat in _chats.Keys.Where(chat => _chats[chat] == NotAskedYet).ToList())
            _chats[chat] = reading;
    }

    /// <summary>All of the mailbox has come, and was looked at.</summary>
    /// <param name="reading">The newest that had been asked for when this one began.</param>
    public void Read(ulong reading)
    {
        foreach (var chat in _chats.Keys.Where(chat => _chats[chat] <= reading).ToList())
            _chats.Remove(chat);
    }

    public bool Contains(Digest chat) => _chats.ContainsKey(chat) || _chats.ContainsKey(default);
}
