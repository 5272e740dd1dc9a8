using System.Threading.Channels;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#readings: a client learns which of its questions a reading of the mailbox answers.
/// </summary>
public sealed class ReadingTests
{
    private static readonly SetKey Mailbox = SetKey.Mailbox("bert");

    private readonly MemoryReplication _sets = new([]);
    private readonly Outgoing _outgoing = new(int.MaxValue);
    private readonly Channel<ulong> _caughtUp = Channel.CreateUnbounded<ulong>();
    private readonly SessionMail _mail;

    public ReadingTests()
    {
        _mail = new SessionMail(Mailbox, _outgoing, _sets, int.MaxValue, TimeProvider.System, CancellationToken.None);
        _outgoing.Wake = () =>
        {
            while (_outgoing.Take() is { } batch)
                if (batch.CaughtUp is { } reading)
                    _caughtUp.Writer.TryWrite(reading);
        };
    }

    [Fact]
    public async Task A_reading_that_has_begun_answers_no_question_that_comes_later()
    {
        var gate = new TaskCompletionSource();
        _sets.ScanGate = gate.Task;
        _mail.Scan();
        _mail.Resync(1);
        _mail.Repeat(2);
        gate.SetResult();
        await CaughtUpAsync(0, 2);
        _mail.Resync(3);
        await CaughtUpAsync(3);
        _mail.Scan();
        await CaughtUpAsync(3);
    }

    /// <summary>A question is short, and a mailbox may be large.</summary>
    [Fact]
    public async Task Many_questions_in_a_second_are_answered_by_one_reading()
    {
        _mail.Resync(1);
        await CaughtUpAsync(1);
        for (var reading = 2UL; reading <= 51; reading++)
            _mail.Resync(reading);
        await CaughtUpAsync(51);
        Assert.Equal(2, _sets.ScanCount);
    }

    /// <summary>What is asked in vain is answered later and later; nobody's mail waits for that.</summary>
    [Fact]
    public async Task Mail_that_comes_before_a_reading_has_begun_does_not_wait_for_it()
    {
        _mail.Resync(1);
        await CaughtUpAsync(1);
        _mail.Resync(2);
        Assert.Equal(DeliverOutcome.Delivered, _mail.Deliver(new(new(1), "hello"u8.ToArray()), "anna"));
        Assert.Equal(0, _mail.HeldBytes);
        await CaughtUpAsync(2);
    }

    /// <summary>An error of this program is taken for none, too.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_reading_without_a_majority_answers_nothing_and_the_next_one_answers_for_it(bool isFault)
    {
        (_sets.IsCut, _sets.BreaksScans) = (!isFault, isFault);
        _mail.Resync(1);
        Assert.True(_mail.IsScanDue);
        (_sets.IsCut, _sets.BreaksScans) = (false, false);
        _mail.Scan();
        await CaughtUpAsync(1);
    }

    private async Task CaughtUpAsync(params ulong[] readings)
    {
        foreach (var reading in readings)
            Assert.Equal(reading, await _caughtUp.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
    }
}
