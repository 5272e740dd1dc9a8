using System.Collections.Concurrent;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>Who may know who is online, as the cluster's setting says.</summary>
/// <remarks>docs/protocol.md, Presence. An asker of null is a member of the ring or an operator.</remarks>
internal sealed class PresenceDoor(ChatOptions options, Circles circles)
{
    private const int AtOnce = 32;

    /// <summary>Whether askers see their contacts only.</summary>
    public bool IsForContacts(string? asker) => options.Presence == PresenceRule.Contacts && asker is not null;

    public async Task<bool> MaySeeAsync(string? asker, string user, CancellationToken cancellation) =>
        !IsForContacts(asker) || asker == user || await circles.IsContactAsync(user, asker!, cancellation);

    /// <summary>As <see cref="MaySeeAsync"/>, from memory; false when it is not known.</summary>
    public bool IsKnownToSee(string asker, string user) =>
        !IsForContacts(asker) || circles.IsKnownContact(user, asker);

    /// <summary>Of those who are online, the asker and those with whom the asker has written in both
    /// directions.</summary>
    /// <returns>Null when no majority answers.</returns>
    public async Task<IReadOnlyList<Lease>?> ContactsAsync(
        string asker, IReadOnlyList<Lease> online, CancellationToken cancellation)
    {
        // Beginning with the asker's own list, so that nobody can ask for more circles than it is long.
        if (await circles.OfAsync(asker, cancellation) is not { } own)
            return null;
        var writtenTo = own.WrittenTo.Append(asker).ToHashSet();
        var seen = new ConcurrentDictionary<string, bool>();
        await Parallel.ForEachAsync(
            online.Where(lease => writtenTo.Contains(lease.User)),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
            async (lease, token) => seen[lease.User] = await MaySeeAsync(asker, lease.User, token));
        return [.. online.Where(lease => seen.GetValueOrDefault(lease.User))];
    }
}

/// <summary>Whose presence people are told.</summary>
public enum PresenceRule
{
    /// <summary>Everybody's, if they have an account.</summary>
    Everybody,

    /// <summary>That of people who have written to them.</summary>
    Contacts,
}
