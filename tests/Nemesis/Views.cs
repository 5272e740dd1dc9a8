using System.Diagnostics;
using ChordChat.Sdk;

namespace ChordChat.Tests.Nemesis;

/// <summary>What people see when they ask where mailboxes lie and who is online.</summary>
internal sealed class Views(World world)
{
    private static readonly TimeSpan AgreeMax = TimeSpan.FromSeconds(60);
    private List<(Person Asker, string? Node, MailboxMembers Place)> _places = [];

    private IEnumerable<string> Names =>
        [.. world.People.Select(person => person.Name), .. world.Guests.Select(guest => guest.Name)];

    /// <summary>Asks for every mailbox through every person's node, until they agree or had time to.</summary>
    public async Task AskAsync()
    {
        var waited = Stopwatch.StartNew();
        do
        {
            _places = [];
            foreach (var person in world.People)
                foreach (var name in Names)
                    if (await person.WhereAsync(name) is { } place)
                        _places.Add((person, person.Node, place));
        }
        while (!DoAgree() && waited.Elapsed < AgreeMax);
        world.Say($"{_places.Count} answers where mailboxes lie, after {waited.Elapsed.TotalSeconds:0} s");
    }

    /// <summary>Whether all people see all guests online, or none.</summary>
    public async Task<bool> AreGuestsAsync(bool online)
    {
        foreach (var person in world.People)
            foreach (var guest in world.Guests)
                if (await person.IsOnlineAsync(guest.Name) != online)
                    return false;
        return true;
    }

    /// <summary>What was answered must be what the disks say, or where everybody said the same, what was so just
    /// before: tiles go on moving to their places.</summary>
    public IEnumerable<string> Faults(PowerOff disks)
    {
        var agree = DoAgree();
        foreach (var (asker, node, place) in _places)
            if (disks.NewestOf(place.User) is { } newest
                && (newest.Epoch != place.Epoch || !disks.NamesOf(newest).SequenceEqual(place.Members))
                && !(agree && newest.Epoch == place.Epoch + 1))
                yield return $"{asker.Name} at {node} is told that the mailbox of {place.User} lies at "
                    + $"{string.Join(' ', place.Members)} in epoch {place.Epoch}; the disks say "
                    + $"{string.Join(' ', disks.NamesOf(newest))} in epoch {newest.Epoch}";
    }

    private bool DoAgree() =>
        _places.GroupBy(one => one.Place.User).All(user => user.Select(one => one.Place.Epoch).Distinct().Count() == 1);
}
