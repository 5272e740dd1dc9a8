using System.Threading.Channels;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary>Messages that are stored one after the other, and answered in the same order while that goes on.</summary>
/// <remarks>README.md: what is wrong with one line, or with the keys of its recipient, costs the others nothing. What
/// ends a batch early is input that cannot be read, or that no line can be stored or sent now.</remarks>
internal sealed class SendBatch(ChatClient client, TimeSpan timeout) : IDisposable
{
    private const int InFlightMax = 256;
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ServedPoll = TimeSpan.FromMilliseconds(50);

    private readonly Channel<Line> _lines = Channel.CreateBounded<Line>(InFlightMax);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<string> _known = [];
    private readonly Lock _turn = new();
    private bool _isOver;
    private Line? _inHand;

    /// <param name="Id">Of the message that was stored.</param>
    /// <param name="Until">When its time is over.</param>
    /// <param name="Problem">Why none was stored.</param>
    public sealed record Line(string Id, long Until, ChordChatException? Problem = null);

    /// <summary>Stores lines as they come.</summary>
    public async Task StoreAsync(IEnumerable<LineToSend> lines, CancellationToken cancellation)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stop.Token);
            foreach (var (to, text, wrong) in lines)
            {
                var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
                var problem = wrong ?? await ProblemAsync(to, text, either.Token);
                await AddAsync(() => new(problem is null ? client.Send(to, text) : "", until, problem), either.Token);
            }

            _lines.Writer.TryComplete();
        }
        catch (Exception cause)
        {
            _lines.Writer.TryComplete(cause);
        }
    }

    /// <summary>Takes messages that were stored before.</summary>
    public async Task TakeAsync(IEnumerable<string> ids, CancellationToken cancellation)
    {
        var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        foreach (var id in ids)
            await AddAsync(() => new(id, until), cancellation);
        _lines.Writer.TryComplete();
    }

    /// <summary>Waits for one to answer. Who gives up waiting has taken none.</summary>
    /// <returns>False after the last.</returns>
    public async Task<bool> HasNextAsync(CancellationToken cancellation)
    {
        _inHand = null;
        return await _lines.Reader.WaitToReadAsync(cancellation);
    }

    /// <returns>The next one to answer, which is there.</returns>
    public Line Next() => _inHand = _lines.Reader.TryRead(out var line)
        ? line
        : throw new InvalidOperationException("somebody else has taken the line");

    /// <summary>Stores nothing more.</summary>
    /// <returns>The messages that are stored and were not answered.</returns>
    public IReadOnlyList<string> End()
    {
        lock (_turn)
            _isOver = true;
        _stop.Cancel();
        var left = _inHand is null ? new List<Line>() : [_inHand];
        while (_lines.Reader.TryRead(out var line))
            left.Add(line);
        return [.. left.Where(line => line.Problem is null).Select(line => line.Id)];
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Stores nothing that <see cref="End"/> would not tell.</summary>
    private async Task AddAsync(Func<Line> store, CancellationToken cancellation)
    {
        await _lines.Writer.WaitToWriteAsync(cancellation);
        lock (_turn)
            if (!_isOver)
                _lines.Writer.TryWrite(store()); // There is room: nobody else writes.
    }

    private async Task<ChordChatException?> ProblemAsync(string to, string text, CancellationToken cancellation)
    {
        try
        {
            client.CheckRecipient(to);
            MessageLimits.Encode(text);
        }
        catch (ChordChatException cause)
        {
            return cause;
        }

        if (_known.Contains(to))
            return null;
        try
        {
            await CheckExistsAsync(to, cancellation);
            _known.Add(to);
            return null;
        }
        catch (ChordChatException cause) when (!IsOfAll(cause))
        {
            // Asked again for the next line: the input may come for days.
            return cause.Code is "unknown_user" or "key_conflict" or "identity_changed" ? cause : NotSent(to, cause);
        }
    }

    /// <summary>Whether it is not about one recipient: no line can be stored or sent now.</summary>
    private static bool IsOfAll(ChordChatException cause) => cause.Code is "unreachable" or "no_node" or "unavailable"
        or "not_a_node" or "foreign_cluster" or "bad_address" or "profile_not_writable" or "not_logged_in";

    /// <summary>Asked before anything is stored, so that a wrong name leaves nothing behind. Who cannot be looked up
    /// now holds up nobody else: the outbox asks again.</summary>
    private async Task CheckExistsAsync(string user, CancellationToken cancellation)
    {
        var check = client.People.CheckExistsAsync(user, cancellation);
        var hadNode = false;
        for (var left = timeout > CheckTimeout ? timeout : CheckTimeout; ; left -= CheckTimeout)
        {
            var isLast = left <= CheckTimeout;
            if (await Task.WhenAny(check, Task.Delay(isLast ? left : CheckTimeout, cancellation)) == check)
                break;
            if (hadNode || (isLast && (IsServed || client.People.KeysOf(user) is not null)))
                return; // A node has served us so long, and this account does not answer: the message tells the rest.
            if (isLast)
                throw NotSent(user, new ChordChatException(
                    "unreachable", "no node answered in time", "wait longer with --timeout"));
            hadNode = IsServed;
        }

        try
        {
            await check;
        }
        catch (ChordChatException cause) when (cause.Code == "throttled")
        {
            // A node answers, only not so many questions. The outbox asks again, with pauses.
        }
        catch (ChordChatException cause) when (cause.Code == "unavailable")
        {
            // As above, only sooner; perhaps too soon for the first session.
            if (!await IsSoonServedAsync(cancellation))
                throw NotSent(user, cause);
        }
        catch (ChordChatException cause) when (cause.Code is "unreachable" or "no_node")
        {
            throw NotSent(user, cause);
        }
    }

    private async Task<bool> IsSoonServedAsync(CancellationToken cancellation)
    {
        for (var until = Environment.TickCount64 + (long)CheckTimeout.TotalMilliseconds; !IsServed;)
        {
            if (Environment.TickCount64 >= until)
                return false;
            await Task.Delay(ServedPoll, cancellation);
        }

        return true;
    }

    /// <summary>Whether there is a session: this program's, or that of another one of the same profile, which sends
    /// what is stored here.</summary>
    private bool IsServed => client.Node is not null || !client.TryHoldSession();

    /// <summary>Nobody could say whether there is such a user with good keys, and so nothing was stored.</summary>
    private static ChordChatException NotSent(string user, ChordChatException cause) => new(
        cause.Code, $"the message to {user} was not sent and is not kept on this machine: {cause.Message}",
        cause.Code == "bad_keys" ? "name another node with --node, and tell the operator" : cause.Hint, cause);
}
