using System.Diagnostics;
using ChordChat.Wire;

namespace ChordChat.Bench.Load;

/// <summary>Sends all of some mail with a fixed number of messages under way, and notes when each is kept and when it
/// has reached its recipient.</summary>
/// <remarks>A message is under way until it is kept and, where recipients are online, delivered as well.</remarks>
internal sealed class Volley
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Mail _mail;
    private readonly IReadOnlyList<BenchSession> _senders;
    private readonly int[] _open; // What each message still waits for.
    private readonly int[] _next; // Each sender's next message.
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    /// <param name="recipients">Those who are online; none when only keeping is measured.</param>
    public Volley(Mail mail, IReadOnlyList<BenchSession> senders, IReadOnlyList<BenchSession> recipients)
    {
        (_mail, _senders, _left) = (mail, senders, mail.Count);
        _open = new int[mail.Count];
        Array.Fill(_open, recipients.Count > 0 ? 2 : 1);
        _next = [.. Enumerable.Range(0, senders.Count)];
        (SentAt, KeptAt, DeliveredAt) = (new long[mail.Count], new long[mail.Count], new long[mail.Count]);
        foreach (var sender in senders)
            sender.HandTo(TakeOutcomes);
        foreach (var recipient in recipients)
            recipient.HandTo(TakePushes);
    }

    /// <summary>Stopwatch time of each message; 0 for not yet.</summary>
    public long[] SentAt { get; }

    public long[] KeptAt { get; }

    public long[] DeliveredAt { get; }

    /// <returns>How long it took until everything was kept and delivered.</returns>
    public async Task<TimeSpan> RunAsync(int outstanding, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < outstanding; i++)
            SendNext(i % _senders.Count);
        foreach (var sender in _senders)
            sender.Flush();
        try
        {
            await _done.Task.WaitAsync(Patience, cancellation);
        }
        catch (TimeoutException)
        {
            throw new BenchFailedException($"{_left} of {_mail.Count} messages were not kept or not delivered in time");
        }

        return Stopwatch.GetElapsedTime(started);
    }

    private void TakeOutcomes(BenchSession session, NodeFrame frame)
    {
        var now = Stopwatch.GetTimestamp();
        foreach (var outcome in frame.Outcomes)
        {
            if (_mail.NumberOf(outcome.Id) is not (>= 0 and var number))
                continue;
            if (outcome.State == SendOutcome.Types.State.Refused)
                _done.TrySetException(new BenchFailedException($"a message was refused: {outcome.Text}"));
            else if (outcome.State == SendOutcome.Types.State.Kept && KeptAt[number] == 0)
            {
                KeptAt[number] = now;
                Close(number);
            }
        }

        session.Flush();
    }

    private void TakePushes(BenchSession session, NodeFrame frame)
    {
        var now = Stopwatch.GetTimestamp();
        var freed = 0UL;
        foreach (var push in frame.Pushes)
        {
            session.Acknowledge(push.Id);
            if (_mail.NumberOf(push.Id) is not (>= 0 and var number) || DeliveredAt[number] != 0)
                continue;
            DeliveredAt[number] = now;
            if (Close(number))
                freed |= 1UL << (number % _senders.Count);
        }

        session.Flush();
        for (; freed != 0; freed &= freed - 1)
            _senders[System.Numerics.BitOperations.TrailingZeroCount(freed)].Flush();
    }

    /// <returns>Whether the message's sender has another one to send.</returns>
    private bool Close(int number)
    {
        if (Interlocked.Decrement(ref _open[number]) > 0)
            return false;
        if (Interlocked.Decrement(ref _left) == 0)
            _done.TrySetResult();
        return SendNext(number % _senders.Count);
    }

    private bool SendNext(int sender)
    {
        var number = Interlocked.Add(ref _next[sender], _senders.Count) - _senders.Count;
        if (number >= _mail.Count)
            return false;
        SentAt[number] = Stopwatch.GetTimestamp();
        _senders[sender].Send(_mail[number]);
        return true;
    }
}
