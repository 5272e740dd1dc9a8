using System.Net;

namespace ChordChat.Sdk.Nodes;

/// <summary>Addresses that the local network answered, with a share for each machine that answers: nobody keeps a
/// client busy with a list of their own.</summary>
/// <remarks>Safe for threads.</remarks>
internal sealed class MulticastAnswers
{
    /// <summary>Answers of one machine; it may run more than one node.</summary>
    public const int PerSenderMax = 4;

    /// <summary>Addresses that are tried.</summary>
    public const int Max = 64;

    /// <summary>Machines that are heard; senders of datagrams can be made up.</summary>
    private const int SendersMax = 1024;

    private readonly Lock _turn = new();
    private readonly Dictionary<IPAddress, List<string>> _bySender = [];

    public void Add(IPAddress sender, string address)
    {
        lock (_turn)
        {
            if (!_bySender.TryGetValue(sender, out var said))
            {
                if (_bySender.Count >= SendersMax)
                    return;
                _bySender[sender] = said = [];
            }

            if (said.Count < PerSenderMax && !said.Contains(address))
                said.Add(address);
        }
    }

    /// <summary>The first of each sender, then the second of each, and so on; of more senders than there is room for,
    /// any.</summary>
    public IReadOnlyList<string> InTurn()
    {
        lock (_turn)
        {
            var senders = _bySender.Values.ToArray();
            if (senders.Length > Max)
                Random.Shared.Shuffle(senders);
            return [.. Enumerable.Range(0, PerSenderMax)
                .SelectMany(i => senders.Where(said => i < said.Count).Select(said => said[i]))
                .Distinct(StringComparer.OrdinalIgnoreCase).Take(Max)];
        }
    }
}
