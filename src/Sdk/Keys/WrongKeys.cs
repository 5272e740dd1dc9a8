using ChordChat.Wire;

namespace ChordChat.Sdk.Keys;

/// <summary>Of which nodes and people the user was told that the node shows wrong keys of the person. Nodes and
/// strangers choose their names, so the lines about one node are few.</summary>
/// <remarks>docs/e2e.md, Pins. Safe for threads.</remarks>
internal sealed class WrongKeys
{
    /// <summary>People who are named for one node.</summary>
    public const int PeopleMax = 3;

    private const int NodesMax = 16;

    private readonly Dictionary<string, HashSet<string>> _told = [];

    /// <param name="key">The node's id, in hex: another name makes no other node of it.</param>
    /// <param name="node">Its name and address.</param>
    /// <returns>What the user is to be told; null if they know enough.</returns>
    public string? Tell(string key, string node, string user)
    {
        lock (_told)
        {
            if (!_told.TryGetValue(key, out var people))
            {
                if (_told.Count >= NodesMax)
                    return null;
                _told[key] = people = [];
            }

            return people.Count > PeopleMax || !people.Add(user) ? null
                : people.Count > PeopleMax ? $"{node} shows wrong keys for more people, who are not named"
                : $"{node} shows wrong keys for {user}; other nodes are being asked; tell the operator";
        }
    }

    /// <summary>How a node is named to the user.</summary>
    public static string NameOf(string name, string address) => $"{NodeWords.Name(name)} at {address}";
}
