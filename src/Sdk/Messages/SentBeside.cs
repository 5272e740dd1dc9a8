using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Messages;

/// <summary>Finds messages that another program of the same profile stored to be sent.</summary>
/// <remarks>Safe for threads.</remarks>
internal sealed class SentBeside(LocalStore store, MessageTable messages)
{
    private readonly Lock _turn = new();
    private readonly HashSet<string> _here = [];
    private double _seen = store.Read(MessageTable.NextRank) - 1;

    /// <summary>Stores a message of this program.</summary>
    public string Here(Func<string> add)
    {
        lock (_turn)
        {
            var id = add();
            _here.Add(id);
            return id;
        }
    }

    /// <summary>Takes those that came since the last call, each once.</summary>
    public List<ChatMessage> Take()
    {
        lock (_turn)
        {
            var (found, last) = store.Read(db => (messages.MineAfter(db, _seen), MessageTable.NextRank(db) - 1));
            found.RemoveAll(message => _here.Contains(message.Id));
            _here.Clear();
            _seen = last;
            return found;
        }
    }
}
