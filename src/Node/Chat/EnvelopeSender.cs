using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Crypto.Messages;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Takes sealed mail from clients: into the recipient's mailbox and, side by side, to the client.</summary>
internal sealed partial class EnvelopeSender(
    ChatIdentity identity,
    RecipientLookups recipients,
    IMessageSets sets,
    LiveDelivery live,
    DeliveryOrder order,
    SendRetries retries,
    ChatClock clock,
    IHostApplicationLifetime host,
    ILogger<EnvelopeSender> logger)
{
    private readonly LineBudget _fullLines = new(1);

    /// <summary>A century: what a client says beyond it is late all the same.</summary>
    private const ulong AgeMsMax = 100UL * 365 * 24 * 3_600_000;

    /// <summary>It may have been kept, and even read, when it was handed in first.</summary>
    public static Refusal TooLate { get; } = new(
        "too_late",
        "not confirmed within a week of sending; it may still have arrived. If not, write it again");

    /// <summary>Ids are chosen at random, so somebody means it: one of two senders, or one who sends two texts.
    /// </summary>
    public static Refusal Occupied { get; } = new("bad_envelope", "another message has this id");

    private static readonly Refusal TooOld = new(
        "too_late",
        "it was first sent four days ago or more and nobody confirmed it; it may have arrived. If not, write it again");

    /// <summary>Starts a message on its way. What becomes of it is reported to the session. The next message of the
    /// session may follow as soon as this returns, and to the same recipient it stays behind this one.</summary>
    public void Submit(
        LiveSession sender,
        string to,
        ReadOnlyMemory<byte> id,
        ReadOnlyMemory<byte> envelope,
        ulong ageMs,
        CancellationToken cancellation)
    {
        if (id.Length != 16)
            return; // Nothing to answer to.
        sender.Sends.Opened();
        var messageId = MessageId.FromBytes(id.Span);
        var submission = new Submission(sender, to, messageId, envelope, identity.Copies)
        {
            SentMs = clock.Unix - (long)Math.Min(ageMs, AgeMsMax),
        };
        var header = envelope.Length <= ChatLimits.EnvelopeBytesMax ? EnvelopeHeader.TryParse(envelope.Span) : null;
        if (Problem(sender, to, messageId, envelope, header) is { } refusal)
            submission.Refused(refusal);
        else
            recipients.Ask(
                sender, to, recipient => Go(submission, envelope, header!.DoNotStore, recipient), cancellation);
    }

    /// <summary>Never waits: the next message must not wait for a disk.</summary>
    private void Go(Submission submission, ReadOnlyMemory<byte> envelope, bool doNotStore, Recipient recipient)
    {
        if (recipient == Recipient.Unknown)
            submission.Refused(new("unknown_user", $"nobody here is called {submission.To}"));
        else if (recipient == Recipient.Refuses)
            submission.Refused(new("blocked", $"{submission.To} does not take messages from you"));
        else if (order.IsTooOld(
            submission.From, submission.To, TimeSpan.FromMilliseconds(clock.Unix - submission.SentMs)))
            submission.Refused(TooOld);
        else if (doNotStore)
            _ = PassOnAsync(submission, envelope);
        else
            _ = SendAsync(submission, envelope);
    }

    private Refusal? Problem(
        LiveSession sender, string to, MessageId id, ReadOnlyMemory<byte> envelope, EnvelopeHeader? header)
    {
        if (envelope.Length > ChatLimits.EnvelopeBytesMax)
            return new("too_large", $"{envelope.Length} bytes; at most {ChatLimits.EnvelopeBytesMax} are allowed");
        if (!UserName.IsValid(to))
            return new("unknown_user", UserName.Rule);
        if (to == sender.User)
            return new("bad_envelope", "a message cannot be sent to oneself");
        if (header is null || header.Id.Value != id.Value)
            return new("bad_envelope", "the sealed message is damaged or has another id");
        if (header.DoNotStore && envelope.Length > SignalBudget.BytesMax)
            return new("too_large", $"a signal that is not to be stored has at most {SignalBudget.BytesMax} bytes");
        return header.IsBetween(identity.Cluster, sender.User, to)
            ? null
            : new("bad_envelope", $"the sealed message is not one between {sender.User} and {to} in this cluster");
    }

    /// <param name="envelope">The submission forgets it as soon as all copies are on disk, which may be at
    /// once.</param>
    private async Task SendAsync(Submission submission, ReadOnlyMemory<byte> envelope)
    {
        var stopping = host.ApplicationStopping;
        try
        {
            // The disk's round trip is the longer one, so that it goes first.
            var add = sets.AddAsync(
                SetKey.Mailbox(submission.To), order.HandedIn(submission), submission.Id, envelope,
                submission.Progress, stopping);
            var isOld = submission.IsOld(clock.Unix);
            var isKeptFirst = order.IsKeptFirst(submission.From, submission.To);
            var delivery = isOld || isKeptFirst
                ? Task.FromResult(false) : DeliverAsync(submission, envelope, stopping);
            var outcome = await add;
            order.Answered(submission.From, submission.To, outcome);
            switch (outcome)
            {
                case AddOutcome.Stored(var copies, var isOther):
                    submission.Kept(copies);
                    if (isKeptFirst && !isOld && !isOther)
                        await DeliverAsync(submission, envelope, stopping);
                    break;
                case AddOutcome.Full when !await delivery:
                    submission.Refused(FullMailbox(submission.To));
                    break;
                case AddOutcome.Full:
                    Queue(submission, new CopiesKept([], identity.Copies));
                    break;
                case AddOutcome.Occupied:
                    submission.Refused(Occupied);
                    break;
                case AddOutcome.TooLate:
                    submission.Refused(TooLate);
                    break;
                case AddOutcome.Queued(var copies):
                    Queue(submission, copies);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops; the client sends it again elsewhere.
        }
        catch (Exception cause)
        {
            LogFailed(submission.Id, cause);
            Queue(submission, new CopiesKept([], identity.Copies));
        }
    }

    public static Refusal FullMailbox(string user) =>
        new("mailbox_full", $"{user}'s mailbox takes no more from you now: either {user} must log in and "
            + "read it, or it has had too many messages in the last two weeks");

    /// <summary>A signal that is of no use later: to the client, or nowhere.</summary>
    private async Task PassOnAsync(Submission submission, ReadOnlyMemory<byte> envelope)
    {
        try
        {
            if (!order.IsKeptFirst(submission.From, submission.To))
                await DeliverAsync(submission, envelope, host.ApplicationStopping);
            submission.Queued(new CopiesKept([], identity.Copies));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task<bool> DeliverAsync(
        Submission submission, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        var isLive = await live.DeliverAsync(
            submission.From, submission.To, submission.Id, envelope, cancellation);
        if (isLive)
            submission.Delivered();
        return isLive;
    }

    private void Queue(Submission submission, CopiesKept copies)
    {
        submission.Queued(copies);
        if (!retries.TryAdd(submission) && _fullLines.Allows(clock.Steady, out var unsaid))
            LogRetriesFull(submission.Id, unsaid);
    }

    [LoggerMessage(5030, LogLevel.Error, "Sending {Message} failed; it is tried again")]
    private partial void LogFailed(MessageId message, Exception cause);

    [LoggerMessage(5031, LogLevel.Warning,
        "The retry queue is full: {Message} is left for its sender's client to resend, as were {Unsaid} more")]
    private partial void LogRetriesFull(MessageId message, long unsaid);
}
